import GateIdentity
import Testing

@Suite("E-mail addresses")
struct EmailAddressTests {
    @Test(
        "CHECKLIST 25: one form for every spelling",
        arguments: [
            ("ann@example.com", "ann@example.com"), ("Ann@Example.COM", "ann@example.com"), ("  ann@example.com ", "ann@example.com"),
            ("a.b+tag@sub.example.co.uk", "a.b+tag@sub.example.co.uk"), ("o'neil@example.com", "o'neil@example.com"),
            ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"), ("1@1.example", "1@1.example"),
            (String(repeating: "a", count: 64) + "@example.com", String(repeating: "a", count: 64) + "@example.com"),
        ])
    func normal(_ input: String, _ text: String) {
        let address = EmailAddress(input)
        #expect(address?.text == text)
        #expect(address.map { EmailAddress($0.text) } == address)
        #expect(address?.localPart == text.prefix { $0 != "@" })
    }

    @Test(
        "CHECKLIST 25: what is no address, could be two, or could be read in two ways is refused",
        arguments: [
            "", " ", "ann", "@", "ann@", "@example.com", "ann@example", "ann@@example.com", "ann@b@example.com", "ann@example.com@evil.com",
            "ann@example.com\r\nBcc: eve@evil.com", "ann\n@example.com", "ann@example.com\n", "\tann@example.com", "ann\0@example.com",
            "an n@example.com", "ann@exam ple.com", "\"ann\"@example.com", "<ann@example.com>", "ann@example.com,eve@evil.com",
            "ann@example.com;eve@evil.com", "ann(x)@example.com", "ann\\@example.com", ".ann@example.com", "ann.@example.com",
            "a..b@example.com", "ann@.example.com", "ann@example..com", "ann@example.com.", "ann@-example.com", "ann@example-.com",
            "ann@exa_mple.com", "ann@[192.0.2.1]", "ann@192.0.2.1", "ann@example.123", "ann@e\u{0301}xample.com", "änn@example.com",
            "\u{212A}ate@example.com", "ann@example.com\u{200B}", "\u{FEFF}ann@example.com", "ann%40evil@ex%61mple.com",
            String(repeating: "a", count: 65) + "@example.com", "ann@" + String(repeating: "a", count: 64) + ".com",
            "ann@" + String(repeating: "a.", count: 130) + "com",
        ])
    func refused(_ input: String) {
        #expect(EmailAddress(input) == nil)
    }
}
