import GateAccess
import GateHTTP
import Testing

@Suite("Identity fields")
struct IdentityFieldsTests {
    @Test(
        "CHECKLIST 29: every spelling that an application may take for an identity field is ours",
        arguments: [
            "X-Gatehouse-User", "x-gatehouse-user", "X-GATEHOUSE-USER", "X_Gatehouse_User", "x_gatehouse-user", "X.Gatehouse.User",
            "x-gatehouse_roles", "X-Gatehouse-", "X-Gatehouse-Anything", "X-Gatehouse-Assertion", "x~gatehouse!org", "x-gatehouse'name",
        ])
    func reserved(name: String) { #expect(IdentityFields.isReserved(name)) }

    @Test(
        "other fields are not ours",
        arguments: [
            "X-Gatehouse", "X-Gatehous-User", "X-Gatehouses-User", "XX-Gatehouse-User", "Gatehouse-User", "X0Gatehouse-User", "", "Cookie",
        ])
    func others(name: String) { #expect(!IdentityFields.isReserved(name)) }

    @Test(
        "names are told in ASCII that every language can read again",
        arguments: [
            ("Ann", "Ann"), ("Ann Lee", "Ann Lee"), ("Jürgen Müller", "J%C3%BCrgen M%C3%BCller"), ("100 %", "100 %25"), ("李", "%E6%9D%8E"),
            ("a\u{7F}b\r\nc", "a%7Fb%0D%0Ac"),
        ])
    func names(name: String, expected: String) { #expect(IdentityFields.encoded(name: name) == expected) }

    @Test("for a proxy that copies them by name, what is not known is there and empty")
    func completed() throws {
        let some = try #require(
            EncodedFields([("X-Gatehouse-User", "u"), ("X-Gatehouse-Email-Verified", "true"), ("X-Gatehouse-Assertion", "a.b.c")]))
        let all = Dictionary(uniqueKeysWithValues: IdentityFields.completed(some).fields.map { ($0.name, $0.value) })
        #expect(all.count == 8)
        #expect(all["X-Gatehouse-User"] == "u" && all["X-Gatehouse-Email"] == "" && all["X-Gatehouse-Assertion"] == "a.b.c")
        #expect(IdentityFields.completed(EncodedFields()).fields.allSatisfy { $0.value.isEmpty })
    }
}
