import GateCore
import GateHTTP
import Testing

@testable import GatehouseApp

@Suite("TLS in the configuration")
struct TLSConfigurationTests {
    /// What a configuration comes to: mode, public URL, listen.http, listen.https, names.
    static let derived: [(toml: String, variables: [String: String], outcome: String)] = [
        ("", [:], "off http://127.0.0.1:8080 [127.0.0.1:8080] [] []"),
        (
            "public_url = \"https://app.example.com\"\nacme.email = \"a@b.test\"", [:],
            "acme https://app.example.com [:80] [:443] [app.example.com]"
        ),
        ("", ["DOMAIN": "App.Example.com.", "ACME_EMAIL": "a@b.test"], "acme https://app.example.com [:80] [:443] [app.example.com]"),
        (
            "", ["DOMAIN": "example.com,www.example.com", "APP_URL": "https://www.example.com", "ACME_EMAIL": "a@b.test"],
            "acme https://www.example.com [:80] [:443] [example.com www.example.com]"
        ),
        (
            "public_url = \"https://app.example.com:8443\"\nacme.email = \"a@b.test\"\nlisten.http = \":8080\"", [:],
            "acme https://app.example.com:8443 [:8080] [:8443] [app.example.com]"
        ),
        (
            "public_url = \"https://app.example.com\"\ntls.mode = \"acme\"\nlisten.http = []", [:],
            "acme https://app.example.com [] [:443] [app.example.com]"
        ),
        ("tls.mode = \"self-signed\"", [:], "self-signed https://localhost:8443 [127.0.0.1:8080] [:8443] []"),
        (
            "tls.mode = \"self-signed\"\nlisten.https = \"127.0.0.1:9443\"", [:],
            "self-signed https://localhost:9443 [127.0.0.1:8080] [127.0.0.1:9443] []"
        ),
        (
            "public_url = \"https://10.0.0.1\"\n[tls]\ncertificate = \"c.pem\"\nkey = [\"k.pem\"]", [:],
            "files https://10.0.0.1 [:80] [:443] []"
        ),
        // A proxy in front does TLS: nothing changes.
        ("public_url = \"https://app.example.com\"", ["PORT": "3000"], "off https://app.example.com [127.0.0.1:3000] [] []"),
        // Variables that are merely there change nothing.
        ("", ["ACME_EMAIL": "a@b.test"], "off http://127.0.0.1:8080 [127.0.0.1:8080] [] []"),
        ("", ["DOMAIN": "localhost"], "off http://127.0.0.1:8080 [127.0.0.1:8080] [] [localhost]"),
        (
            "tls.mode = \"off\"\npublic_url = \"https://app.example.com\"", ["ACME_EMAIL": "a@b.test"],
            "off https://app.example.com [127.0.0.1:8080] [] []"
        ),
    ]

    @Test("What is not said follows from what is", arguments: derived)
    func derivation(toml: String, variables: [String: String], outcome: String) throws {
        let configuration = try load(toml, variables: variables).get().configuration
        func text(_ values: [some CustomStringConvertible]) -> String { "[\(values.map(\.description).joined(separator: " "))]" }
        #expect(
            "\(configuration.tls.mode.rawValue) \(configuration.publicURL) \(text(configuration.listen.http)) "
                + "\(text(configuration.listen.https)) \(text(configuration.acme.domains))" == outcome)
    }

    static let acme = "acme.email = \"a@b.test\"\n"

    static let faults: [(toml: String, message: String)] = [
        (
            acme + "public_url = \"https://192.0.2.1\"",
            "gatehouse.toml:2:1: no certificate can be ordered for 192.0.2.1: it is an address: use a name that the DNS knows, such as app.example.com, or set tls.mode to self-signed"
        ),
        (
            acme + "public_url = \"https://[2001:db8::1]\"",
            "gatehouse.toml:2:1: no certificate can be ordered for [2001:db8::1]: it is an address: use a name that the DNS knows, such as app.example.com, or set tls.mode to self-signed"
        ),
        (
            acme + "public_url = \"https://localhost\"",
            "gatehouse.toml:2:1: no certificate can be ordered for localhost: only this network knows it: use a name that the DNS knows, such as app.example.com, or set tls.mode to self-signed"
        ),
        (
            acme + "acme.domains = [\"*.example.com\", \"a.example.com\"]\npublic_url = \"https://a.example.com\"",
            "gatehouse.toml:2:6: no certificate can be ordered for *.example.com: names with * need a challenge over DNS, which is not available: write out each name"
        ),
        (
            acme + "acme.domains = [\"www.example.com\"]\npublic_url = \"https://example.com\"",
            "gatehouse.toml:2:6: acme.domains does not name example.com, the host of public_url: add it, or leave acme.domains out"
        ),
        (
            acme + "acme.domains = [\"a.test\", \"A.test\"]",
            "gatehouse.toml:2:6: acme.domains names a.test twice: remove one of the two"
        ),
        (
            acme + "public_url = \"https://a.test\"\nacme.eab_key_id = \"kid\"",
            "gatehouse.toml:3:6: acme.eab_key_id and acme.eab_hmac_key belong together, and one is missing: set both, as the authority gave them"
        ),
        (
            acme + "public_url = \"https://a.test\"\nacme.challenges = []",
            "gatehouse.toml:3:6: acme.challenges names none, or one twice: leave it out, or write http-01, tls-alpn-01 or both"
        ),
        (
            acme + "public_url = \"https://a.test\"\nlisten.http = []\nacme.challenges = [\"http-01\"]",
            "gatehouse.toml:4:6: acme.challenges is http-01 alone, but listen.http names no address to answer on: add tls-alpn-01, or an address to listen.http"
        ),
        (
            acme + "public_url = \"https://a.test\"\nacme.directory = \"http://localhost:14000/dir\"",
            "gatehouse.toml:3:6: acme.directory: \"http://localhost:14000/dir\" is no https address: write the authority's directory, such as https://acme-v02.api.letsencrypt.org/directory"
        ),
        (
            acme + "public_url = \"https://a.test\"\nacme.fallback_directory = \"https://acme-v02.api.letsencrypt.org/directory\"",
            "gatehouse.toml:3:6: acme.fallback_directory is the same as acme.directory: name another, or none"
        ),
        (
            "acme.email = \"admin\"",
            "gatehouse.toml:1:6: acme.email: \"admin\" is no e-mail address: write one, such as admin@example.com"
        ),
        (
            "acme.eab_hmac_key = \"secret!\"",
            "gatehouse.toml:1:6: acme.eab_hmac_key: is no base64url text of 16 bytes or more: copy it whole, as the authority shows it"
        ),
        (
            "tls.mode = \"acme\"",
            "gatehouse.toml:1:5: public_url (http://127.0.0.1:8080) is plain HTTP, but tls.mode is acme: write public_url with https, or set tls.mode to off"
        ),
        (
            "tls.mode = \"self-signed\"\npublic_url = \"http://a.test\"",
            "gatehouse.toml:2:1: public_url (http://a.test) is plain HTTP, but tls.mode is self-signed: write public_url with https, or set tls.mode to off"
        ),
        (
            "public_url = \"https://a.test\"\ntls.mode = \"files\"",
            "gatehouse.toml:2:5: tls.mode is files, but tls.certificate names none: name the PEM files in tls.certificate and tls.key"
        ),
        (
            "public_url = \"https://a.test\"\n[tls]\ncertificate = [\"a.pem\", \"b.pem\"]\nkey = \"a.key\"",
            "gatehouse.toml:4:1: tls.key names 1 files, and tls.certificate 2: write one key for each certificate, in their order"
        ),
        (
            "listen.https = [\":443\"]",
            "gatehouse.toml:1:8: listen.https is set, but tls.mode is off: set acme.email and public_url for certificates by ACME, tls.certificate and tls.key for your own, or remove it"
        ),
        (
            "public_url = \"https://a.test\"\ntls.mode = \"self-signed\"\nlisten.https = []",
            "gatehouse.toml:3:8: listen.https names no address, but tls.mode is self-signed: write one, such as :443, or set tls.mode to off"
        ),
        (
            "tls.mode = \"self-signed\"\nlisten.https = \"127.0.0.1:8080\"",
            "gatehouse.toml:2:8: listen.https names 127.0.0.1:8080 beside 127.0.0.1:8080 of listen.http: they are the same port: choose another port"
        ),
        (
            "tls.mode = \"self-signed\"\nmetrics.address = \"127.0.0.1:8443\"",
            "gatehouse.toml:2:9: metrics.address 127.0.0.1:8443 is taken by listen.https: choose another port"
        ),
        ("tls.min_version = \"1.1\"", "gatehouse.toml:1:5: tls.min_version: \"1.1\" is not known: did you mean 1.2?"),
        ("tls.mode = \"acmee\"", "gatehouse.toml:1:5: tls.mode: \"acmee\" is not known: did you mean acme?"),
    ]

    @Test("What makes no sense together is a fault with its cure", arguments: faults)
    func fault(toml: String, message: String) { #expect(load(toml).messages == [message]) }

    static let notices: [(toml: String, variables: [String: String], notice: String)] = [
        (
            "", ["ACME_EMAIL": "a@b.test"],
            "environment variable ACME_EMAIL: acme.email is not used: public_url is plain HTTP; write https:// and the name that the certificate is for"
        ),
        (
            "public_url = \"https://a.test\"", [:],
            "gatehouse.toml:1:1: public_url is https, but no TLS is configured here: something in front of this server has to do it, or set acme.email for certificates by themselves"
        ),
        (
            "tls.mode = \"self-signed\"\nacme.email = \"a@b.test\"", [:],
            "gatehouse.toml:2:6: acme.email is not used: tls.mode is self-signed"
        ),
        (
            "tls.mode = \"self-signed\"\ntls.certificate = \"a.pem\"", [:],
            "gatehouse.toml:2:5: tls.certificate is not used: tls.mode is self-signed"
        ),
    ]

    @Test("What is set and has no effect is told", arguments: notices)
    func notice(toml: String, variables: [String: String], notice: String) throws {
        let notices = try load(toml, variables: variables).get().notices
        #expect(notices.contains { $0.hasSuffix(String(notice.drop { $0 != ":" })) }, "\(notices)")
    }

    @Test("A dry run is made at Let's Encrypt's staging environment, unless told otherwise")
    func staging() throws {
        func staging(_ toml: String) throws -> String? { try load(toml).get().configuration.acme.stagingDirectory?.description }
        #expect(try staging("") == "https://acme-staging-v02.api.letsencrypt.org/directory")
        #expect(try staging("acme.staging_directory = \"\"") == nil)
        #expect(try staging("acme.directory = \"https://ca.test/dir\"") == nil)
        #expect(try staging("acme.staging_directory = \"https://ca.test/dir\"") == "https://ca.test/dir")
    }

    @Test("CHECKLIST 43: the key of an external account is read in either alphabet, and never shown")
    func externalAccount() throws {
        let loaded = try load("acme.eab_hmac_key = \"+/+/AAECAwQFBgcICQoLDA0ODw==\"").get()
        #expect(loaded.configuration.acme.externalAccount.hmacKey?.exposed == [0xFB, 0xFF, 0xBF] + Array(0...15))
        #expect(!loaded.report.contains("AAEC") && !loaded.json.text.contains("AAEC"))
    }
}
