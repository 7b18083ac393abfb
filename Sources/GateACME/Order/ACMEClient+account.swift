import GateCore
package import GateCrypto
import GateHTTP

extension ACMEClient {
    /// Registers the account, or finds it by its key (RFC 8555 §7.3); gives it back with its URL. The terms of service are agreed to.
    package func register(_ account: ACMEAccount) async throws(ACMEFailure) -> ACMEAccount {
        let directory = try await directory()
        var payload = [JSON.Member("termsOfServiceAgreed", true)]
        if !account.contact.isEmpty { payload.append(JSON.Member("contact", .array(account.contact.map { .string($0) }))) }
        if let external = account.externalAccount {
            payload.append(JSON.Member("externalAccountBinding", binding(of: account.key, to: external, at: directory.newAccount)))
        }
        return try await newAccount(account, .object(payload), directory)
    }

    /// `nil` where the authority knows no account with that key (RFC 8555 §7.3.1).
    package func find(_ account: ACMEAccount) async throws(ACMEFailure) -> ACMEAccount? {
        do throws(ACMEFailure) {
            return try await newAccount(account, ["onlyReturnExisting": true], directory())
        } catch {
            if error.problem?.kind == "accountDoesNotExist" { return nil }
            throw error
        }
    }

    private func newAccount(_ account: ACMEAccount, _ payload: JSON, _ directory: DirectoryObject) async throws(ACMEFailure) -> ACMEAccount
    {
        let answer = try await post(payload.bytes, to: directory.newAccount, as: .key(account.key))
        do throws(MalformedAnswer) {
            let object = try AccountObject(parsing: answer.body)
            guard let url = answer.locationText else { throw MalformedAnswer("answer to newAccount", "it has no Location") }
            guard object.status == .valid else {
                throw MalformedAnswer("account", "it is \(object.status.rawValue)")
            }
            var registered = account
            registered.url = url
            return registered
        } catch {
            throw .unexpected(directoryURL.host, error)
        }
    }

    /// Proof that whoever holds the external key holds the account's key (RFC 8555 §7.3.4).
    private func binding(of key: SigningKey, to external: ACMEAccount.ExternalAccount, at newAccount: HTTPURL) -> JSON {
        let jws = FlattenedJWS.authenticate(
            header: [JSON.Member("kid", .string(external.keyID)), JSON.Member("url", .string(newAccount.description))],
            payload: (key.bareJWK ?? .null).bytes, key: external.hmacKey)
        // What was just written reads back.
        return (try? JSON(parsing: jws)) ?? .null
    }

    /// Tells the authority of other addresses (RFC 8555 §7.3.2).
    package func updateContact(of account: ACMEAccount) async throws(ACMEFailure) {
        let url = try url(of: account)
        let payload: JSON = ["contact": .array(account.contact.map { .string($0) })]
        _ = try await post(payload.bytes, to: url, as: .account(account.key, url: account.url ?? ""))
    }

    /// Gives the account a new key (RFC 8555 §7.3.5); from then on the old one signs nothing.
    package func changeKey(of account: ACMEAccount, to key: SigningKey) async throws(ACMEFailure) -> ACMEAccount {
        _ = try url(of: account)
        guard let url = try await directory().keyChange else { throw unsupported("change an account's key") }
        let payload: JSON = ["account": .string(account.url ?? ""), "oldKey": account.key.bareJWK ?? .null]
        let inner: [UInt8]
        do throws(CryptoError) {
            // RFC 8555 §7.3.5: no nonce in the inner one.
            inner = try FlattenedJWS.sign(
                header: [JSON.Member("jwk", key.bareJWK ?? .null), JSON.Member("url", .string(url.description))], payload: payload.bytes,
                key: key)
        } catch {
            throw ACMEFailure(.local, "The new key cannot be used: \(error)", isWorthRetrying: false)
        }
        _ = try await post(inner, to: url, as: .account(account.key, url: account.url ?? ""))
        return ACMEAccount(key: key, url: account.url, contact: account.contact, externalAccount: account.externalAccount)
    }

    /// RFC 8555 §7.6. Success also where it was revoked before.
    ///
    /// - Parameters:
    ///   - certificate: DER.
    ///   - reason: RFC 5280 §5.3.1.
    package func revoke(_ certificate: [UInt8], reason: Int, account: ACMEAccount) async throws(ACMEFailure) {
        _ = try url(of: account)
        guard let url = try await directory().revokeCert else { throw unsupported("revoke certificates") }
        let payload: JSON = ["certificate": .string(Base64URL.encode(certificate)), "reason": .integer(Int64(reason))]
        do throws(ACMEFailure) {
            _ = try await post(payload.bytes, to: url, as: .account(account.key, url: account.url ?? ""))
        } catch {
            guard error.problem?.kind == "alreadyRevoked" else { throw error }
        }
    }

    private func post(_ payload: [UInt8], to url: HTTPURL, as signer: AuthoritySession.Signer) async throws(ACMEFailure) -> AuthorityAnswer
    {
        let newNonce = try await directory().newNonce
        let answer = try await asking { () async throws(AuthoritySession.Failure) in
            try await self.session.post(payload, to: url, as: signer, newNonce: newNonce)
        }
        if let problem = answer.problem { throw refusal(problem, answer.retryAfter) }
        return answer
    }

    private func url(of account: ACMEAccount) throws(ACMEFailure) -> HTTPURL {
        guard let url = account.url.flatMap({ HTTPURL($0) }) else {
            throw ACMEFailure(.local, "The account was never registered with \(directoryURL.host).")
        }
        return url
    }

    private func unsupported(_ what: String) -> ACMEFailure {
        ACMEFailure(.impossiblePlan, "\(directoryURL.host) does not let its clients \(what).", isWorthRetrying: false)
    }
}
