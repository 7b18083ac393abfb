import GateCore
import GateIdentity
import Testing

@Suite("Password rules")
struct PasswordRulesTests {
    private func codes(_ password: String, email: String = "ann.lovelace@example.com", name: String? = "Ada King") -> [String] {
        PasswordRules().faults(of: Secret(password), field: "password", email: EmailAddress(email), name: name).map(\.code)
    }

    @Test(
        "good passwords pass, whatever kinds of characters they are of",
        arguments: [
            "correct horse battery", "tr0ub4dor&3x", "nine lives", "пароль надёжный", "密码密码安全安全一二三四", "1029384756x",
            "ann.lovelace and more",
            "Ada King is my neighbour", "9bT!x7Lq2#", String(repeating: "long ", count: 200), "👩‍👩‍👧‍👦 family",
        ])
    func good(_ password: String) {
        #expect(codes(password) == [])
    }

    @Test(
        "each unmet requirement is told by itself",
        arguments: [
            ("", ["too_short"]), ("nine char", ["too_short"]), ("aaaa", ["too_short", "too_simple"]),
            ("12345678", ["too_short", "too_common", "too_simple"]),
            ("password", ["too_short", "too_common"]), ("PassWord123", ["too_common"]), ("1234567890", ["too_common", "too_simple"]),
            ("aaaaaaaaaaaa", ["too_simple"]), ("abababababab", ["too_simple"]), ("abcdefghijklm", ["too_simple"]),
            ("zyxwvutsrqpo", ["too_simple"]), ("567890123456", ["too_simple"]), ("with\u{7}a bell", ["control_character"]),
            ("Ann.Lovelace1", ["contains_email"]), ("ann.lovelace@example.com", ["contains_email"]), ("ADA king!!", ["contains_name"]),
            (String(repeating: "long ", count: 205), ["too_long"]),
        ])
    func faults(_ password: String, _ expected: [String]) {
        #expect(codes(password) == expected)
    }

    @Test("bytes that are no text are refused")
    func encoding() {
        let faults = PasswordRules().faults(of: Secret([0xFF, 0xFE, 0xFD]), field: "password", email: nil, name: nil)
        #expect(faults.map(\.code) == ["invalid_encoding"])
    }

    @Test("a short name or address is in many good passwords by chance, and no fault")
    func shortWords() {
        #expect(codes("bobsleigh races", email: "bo@example.com", name: "Bo") == [])
        #expect(codes("testing-the-waters", email: "test@example.com", name: "Test") == [])
    }
}
