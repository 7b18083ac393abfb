import GateACME
import GateCore
import GateCrypto
import GateHTTP
import GateTesting
import NIOCore
import Synchronization
import Testing

@Suite("The client, against a strict authority in this process")
struct ClientTests {
    @Test("a certificate for one name, and for several") func issues() async throws {
        for names in [["a.test"], ["a.test", "b.test", "c.test"]] {
            let fixture = try ClientFixture(names: names)
            let issued = try await fixture.obtain()
            #expect(issued.certifiedKey.leaf.dnsNames == names)
            #expect(fixture.authority.violations == [])
            #expect(fixture.authority.orderCount == 1)
            #expect(fixture.presented.count == 0, "challenges are withdrawn")
            #expect(fixture.records.account?.url == "https://authority.test/account/0")
        }
    }

    @Test("by TLS-ALPN-01 where that is preferred") func alpn() async throws {
        let fixture = try ClientFixture()
        _ = try await fixture.obtain { $0.challenges = [.tlsALPN01] }
        #expect(fixture.authority.violations == [])
        #expect(fixture.authority.requests.contains("POST /challenge/0/tls-alpn-01"))
    }

    @Test("CHECKLIST 37: account and directory are used again") func reuse() async throws {
        let fixture = try ClientFixture()
        let client = fixture.client()
        _ = try await fixture.obtain(client: client)
        let account = try #require(fixture.records.account)
        let records = fixture.records
        _ = try await client.obtain(fixture.plan, account: account, resume: nil, save: { records.save($0) })
        #expect(fixture.authority.requests.count { $0 == "POST /account-new" } == 1)
        #expect(fixture.authority.requests.count { $0 == "GET /directory" } == 1)
        #expect(fixture.authority.requests.count { $0 == "HEAD /nonce" } == 1, "each answer brings the next nonce")
        // After reinstalling with the key alone, the account is found and not made anew.
        _ = try await fixture.client().obtain(
            fixture.plan, account: ACMEAccount(key: account.key), resume: nil, save: { records.save($0) })
        #expect(fixture.authority.accountCount == 1)
        #expect(fixture.authority.violations == [])
    }

    @Test("half of all nonces refused, and more", arguments: [1, 2, 5, 16]) func nonceStorm(refusals: Int) async throws {
        var settings = StandInAuthority.Settings()
        settings.nonceRefusals = refusals
        let fixture = try ClientFixture(settings: settings)
        _ = try await fixture.obtain()
        #expect(fixture.authority.violations == [])
        #expect(fixture.authority.orderCount == 1)
    }

    @Test("an authority that refuses every nonce is not asked for ever") func endlessNonceStorm() async throws {
        var settings = StandInAuthority.Settings()
        settings.nonceRefusals = 1_000_000
        let fixture = try ClientFixture(settings: settings)
        let failure = try #require(await fixture.failure())
        #expect(failure.problem?.kind == "badNonce")
        #expect(failure.isWorthRetrying)
        #expect(fixture.authority.requests.count < 30)
    }

    @Test("an external account is bound with its key, and asked for in words where it is missing") func externalAccount() async throws {
        var settings = StandInAuthority.Settings()
        let secret = Secret([UInt8](repeating: 7, count: 16))
        settings.externalAccount = ("key-1", secret)
        let bound = try ClientFixture(settings: settings, external: ACMEAccount.ExternalAccount(keyID: "key-1", hmacKey: secret))
        _ = try await bound.obtain()
        #expect(bound.authority.violations == [])

        let unbound = try ClientFixture(settings: settings)
        let failure = try #require(await unbound.failure())
        #expect(failure.problem?.kind == "externalAccountRequired")
        #expect(!failure.isWorthRetrying)
        #expect(failure.sentence.contains("HMAC key"))
    }

    @Test("an account that the authority forgot is registered anew, once") func forgottenAccount() async throws {
        let fixture = try ClientFixture()
        _ = try await fixture.obtain()
        fixture.authority.forgetEverything()
        _ = try await fixture.obtain()
        #expect(fixture.authority.requests.count { $0 == "POST /account-new" } == 2)
        #expect(fixture.authority.orderCount == 1)

        fixture.authority.change { $0.refusals = [("/order-new", 400, "accountDoesNotExist"), ("/order-new", 400, "accountDoesNotExist")] }
        let records = fixture.records
        let account = try #require(records.account)
        await #expect(throws: ACMEFailure.self) {
            try await fixture.client().obtain(fixture.plan, account: account, resume: nil, save: { records.save($0) })
        }
        #expect(fixture.authority.requests.count { $0 == "POST /account-new" } == 3)
    }

    @Test("CHECKLIST 36: an order carries replaces, and goes without where the authority refuses it or knows no ARI") func replaces()
        async throws
    {
        for (hasRenewalInfo, refuses, sent) in [(true, false, [true]), (true, true, [true, false]), (false, false, [false])] {
            var settings = StandInAuthority.Settings()
            settings.hasRenewalInfo = hasRenewalInfo
            settings.refusesReplaces = refuses
            let fixture = try ClientFixture(settings: settings)
            _ = try await fixture.obtain { $0.replaces = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE" }
            #expect(fixture.authority.newOrders.map { $0["replaces"] != nil } == sent)
            #expect(fixture.authority.orderCount == 1)
            #expect(fixture.authority.violations == [])
        }
    }

    @Test("a profile is sent where the authority has it, and named with its choices where it has not") func profiles() async throws {
        var settings = StandInAuthority.Settings()
        settings.profiles = ["classic", "shortlived"]
        let fixture = try ClientFixture(settings: settings)
        let failure = try #require(await fixture.failure { $0.profile = "eternal" })
        #expect(failure.sentence.contains("classic, shortlived"))
        #expect(fixture.authority.newOrders.isEmpty)
        _ = try await fixture.obtain { $0.profile = "shortlived" }
        #expect(fixture.authority.newOrders.map { $0["profile"] } == ["shortlived"])
    }

    @Test("CHECKLIST 37: Retry-After is obeyed, in seconds and as a date") func retryAfter() async throws {
        for text in ["30", "Fri, 20 Nov 2026 00:00:30 GMT"] {
            var settings = StandInAuthority.Settings()
            settings.retryAfter = text
            settings.pollsUntilProven = 1
            settings.pollsUntilIssued = 0
            let fixture = try ClientFixture(settings: settings)
            let before = fixture.time.monotonic()
            _ = try await fixture.obtain()
            #expect(fixture.time.monotonic().since(before) >= .seconds(30))
            #expect(fixture.time.monotonic().since(before) < .seconds(40))
        }
    }

    @Test("renewal information: the window, and when to ask again") func renewalInfo() async throws {
        let fixture = try ClientFixture()
        let info = try #require(try await fixture.client().renewalInfo(for: "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"))
        #expect(info.start.rfc3339 == "2026-12-01T00:00:00.000Z")
        #expect(info.end.rfc3339 == "2026-12-03T00:00:00.000Z")
        #expect(info.retryAfter == .seconds(21_600))
        #expect(fixture.authority.requests.last == "GET /renewal-info/aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE")
        fixture.authority.change { $0.hasRenewalInfo = false }
        #expect(try await fixture.client().renewalInfo(for: "a.b") == nil)
    }

    @Test("accounts are found, get new keys, and certificates are revoked") func accountCalls() async throws {
        let other = try SigningKey.generate(.es256, id: "acme", entropy: SeededEntropy(seed: 99))
        let fixture = try ClientFixture(otherKeys: [other])
        let client = fixture.client()
        #expect(try await client.find(fixture.account) == nil)
        let account = try await client.register(fixture.account)
        #expect(try await client.find(fixture.account)?.url == account.url)
        try await client.updateContact(of: account)
        let changed = try await client.changeKey(of: account, to: other)
        try await client.revoke(fixture.certificate.leaf.der, reason: 4, account: changed)
        try await client.revoke(fixture.certificate.leaf.der, reason: 4, account: changed)
        #expect(fixture.authority.revoked == [Base64URL.encode(fixture.certificate.leaf.der)])
        #expect(fixture.authority.violations == [])
    }

    @Test("a certificate that is not for the key or lacks a name is not taken") func wrongCertificate() async throws {
        let fixture = try ClientFixture()
        let other = try CertificateKey.generate(.p256, entropy: SeededEntropy(seed: 5))
        let failure = try #require(await fixture.failure { $0.key = other.pem })
        guard case .unexpectedAnswer = failure.cause else {
            Issue.record("\(failure)")
            return
        }
        #expect(!failure.keepsOrder)
    }

    @Test("an authority over TLS does not lead to plain HTTP") func noDowngrade() async throws {
        let fixture = try ClientFixture()
        struct Leading: OutgoingHTTP {
            let authority: StandInAuthority
            func send(_ request: OutgoingRequest) async throws(OutgoingError) -> OutgoingResponse {
                var response = try await authority.send(request)
                let body = String(buffer: response.body)
                response.body = .init(string: body.replacing("https://authority.test/nonce", with: "http://authority.test/nonce"))
                return response
            }
        }
        let failure = try #require(await fixture.failure(client: fixture.client(over: Leading(authority: fixture.authority))))
        #expect(failure.sentence.contains("not HTTPS"))
        #expect(!fixture.authority.requests.contains("HEAD /nonce"))
    }

    @Test("CHECKLIST 43: neither keys nor key authorizations are logged") func logs() async throws {
        let fixture = try ClientFixture()
        _ = try await fixture.obtain()
        let log = fixture.log.lines.joined(separator: "\n")
        #expect(!log.isEmpty)
        let thumbprint = Base64URL.encode(try #require(fixture.account.key.thumbprint))
        for secret in [Base64URL.encode(fixture.account.key.material.exposed), thumbprint, "PRIVATE KEY"] {
            #expect(!log.contains(secret))
        }
    }
}
