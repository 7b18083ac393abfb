/// The passwords of eight and more characters that lead the published lists of leaked ones, in lower case.
///
/// Shorter ones fall to the length. A list of millions would need a file and a filter: this one takes the worst of the harm.
enum CommonPasswords {
    static func contains(_ lowercased: String) -> Bool { all.contains(lowercased[...]) }

    private static let all = Set(
        """
        password password1 password12 password123 password1234 password12345 password123456 password! password1! password123! passw0rd
        passw0rd1 p@ssw0rd p@ssw0rd1 p@ssw0rd123 p@ssword p@ssword1 p@ssword123 pa55word pa55w0rd passwort passwort1 passwort123
        motdepasse contrasena contraseña mypassword mypassword1 yourpassword thepassword newpassword newpassword1 oldpassword
        passwordpassword passpass passpass123 password2020 password2021 password2022 password2023 password2024 password2025 password2026
        changeme changeme1 changeme123 changeme123! changemenow default1 defaultpassword letmein1 letmein12 letmein123 letmein1234
        letmeinnow welcome1 welcome12 welcome123 welcome1234 welcome123! welcome2020 welcome2021 welcome2022 welcome2023 welcome2024
        welcome2025 welcome2026 admin123 admin1234 admin12345 admin123456 admin@123 administrator administrator1 adminadmin
        adminpassword rootroot rootpassword toortoor superuser superadmin testtest testtest1 testtesttest test1234 test12345 test123456
        testpassword guestguest useruser user1234 user12345 username username1 qwertyui qwertyuiop qwertyuiop1 qwertyuiop123 qwerty12
        qwerty123 qwerty1234 qwerty12345 qwerty123456 qwertyqwerty qwertz123 qwertzuiop azertyuiop azerty123 asdfghjk asdfghjkl
        asdfghjkl1 asdfghjkl; asdfasdf asdfasdfasdf asdf1234 asdfqwer zxcvbnm1 zxcvbnm123 zxcvbnm, zxcvbnm,./ zxcvzxcv qazwsxedc
        qazwsxedcrfv qazwsx123 qazxsw123 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y q1w2e3r4 q1w2e3r4t5 q1w2e3r4t5y6
        qweasdzxc qweasdzxc123 qweqweqwe qweqwe123 qwer1234 1234qwer 123qweasd 123qweasdzxc 12345qwert 123456qwerty abcd1234 abcd12345
        abcd123456 abc12345 abc123456 abc123456789 abcabcabc abcdefgh abcdefghij abcdef123 abcdef123456 a1b2c3d4 a1b2c3d4e5 a12345678
        a123456789 a1234567890 aa123456 aa12345678 aa123456789 12345678 123456789 1234567890 12345678910 123456789a 123456789q
        1234567890a 1234567890q 0123456789 9876543210 987654321 0987654321 1234512345 1234554321 123123123 123123123123 1231231234
        123321123 1123581321 3141592653 3141592654 1029384756 1357924680 147258369 147258369a 741852963 789456123 789456123a 159357456
        159753456 159951159 11223344 1122334455 112233445566 11111111 1111111111 00000000 0000000000 88888888 99999999 12121212
        1212121212 13131313 10101010 1010101010 69696969 iloveyou iloveyou1 iloveyou2 iloveyou12 iloveyou123 iloveyou! iloveyou!! ilovegod
        ilovejesus ilovemyself ilovemydog iloveme123 loveyou123 lovelove lovelove1 loveme123 sunshine sunshine1 sunshine12 sunshine123
        princess princess1 princess12 princess123 football football1 football12 football123 baseball baseball1 baseball123
        basketball basketball1 superman superman1 superman123 spiderman spiderman1 batman123 starwars starwars1 starwars123 pokemon1
        pokemon123 minecraft minecraft1 minecraft123 fortnite123 dragon123 dragonball dragonball1 dragonballz monkey123 shadow123 master123
        michael1 michael123 jennifer jennifer1 jessica1 jessica123 charlie1 charlie123 liverpool liverpool1 chelsea123 arsenal123
        manchester barcelona barcelona1 realmadrid juventus1 computer computer1 computer123 internet internet1 internet123 samsung1
        samsung123 microsoft google123 facebook facebook1 facebook123 linkedin linkedin1 whatever whatever1 trustno1 trustnoone
        secret123 secretpassword topsecret topsecret1 nothing1 nopassword nopassword1 opensesame opensesame1 babygirl babygirl1 chocolate
        chocolate1 butterfly butterfly1 elephant1 jordan23 michaeljordan letmeinplease access14 hello123 hello1234 hello12345 hellohello
        helloworld helloworld1 helloworld123 goodmorning goodluck123 happy123 happybirthday christmas christmas1 summer2020 summer2021
        summer2022 summer2023 summer2024 summer2025 summer2026 winter2020 winter2021 winter2022 winter2023 winter2024 winter2025 winter2026
        spring2024 spring2025 spring2026 autumn2024 autumn2025 autumn2026 january2025 january2026 monday123 freedom1 freedom123 jesus123
        jesuschrist jesuslovesme jesusislord godisgood godisgreat blessed123 money123 killer123 hunter123 soccer123 hockey123 tigger123
        ginger123 mustang123 corvette1 ferrari123 mercedes1 porsche911 correcthorsebatterystaple
        """.split(whereSeparator: \.isWhitespace))
}
