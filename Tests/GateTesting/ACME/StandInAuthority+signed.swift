import GateCore
import GateCrypto
import GateHTTP
import NIOCore
import NIOHTTP1

/// Signed requests: everything that RFC 8555 §6.2 to §6.5 wants of them.
extension StandInAuthority.State {
    mutating func signed(_ request: OutgoingRequest, path: String, authority: StandInAuthority) -> Answer {
        if request.headers["content-type"] != ["application/jose+json"] { violations.append("\(path): not application/jose+json (§6.2)") }
        guard let jws = FlattenedJWS(Array(request.body.readableBytesView)) else {
            violations.append("\(path): no flattened JWS (§6.2)")
            return .problem(400, "malformed")
        }
        let names = Set((jws.header.members ?? []).map(\.name))
        let wanted: Set<String> = ["alg", "nonce", "url", path == "/account-new" ? "jwk" : "kid"]
        if names != wanted { violations.append("\(path): the protected header has \(names.sorted()), not \(wanted.sorted()) (§6.2)") }
        if jws.header["url"]?.string != request.url.description { violations.append("\(path): signed for another URL (§6.4)") }

        guard let nonce = jws.header["nonce"]?.string, freshNonces.remove(nonce) != nil else {
            violations.append("\(path): the nonce was not given out, or used before (§6.5)")
            return .problem(400, "badNonce")
        }
        if settings.nonceRefusals > 0 {
            let left = refusalsLeft ?? settings.nonceRefusals
            refusalsLeft = left == 0 ? nil : left - 1
            if left > 0 { return .problem(400, "badNonce") }
        }
        if let index = settings.refusals.firstIndex(where: { path.hasPrefix($0.path) }) {
            let refusal = settings.refusals.remove(at: index)
            var answer = Answer.problem(refusal.status, refusal.type)
            if let retryAfter = settings.retryAfter { answer.headers.add(name: "Retry-After", value: retryAfter) }
            return answer
        }
        if path == "/account-new" { return newAccount(jws) }

        guard let account = accounts.first(where: { $0.url == jws.header["kid"]?.string }) else {
            return .problem(400, "accountDoesNotExist")
        }
        guard jws.isSigned(with: account.key) else {
            violations.append("\(path): signed with another key than the account's")
            return .problem(403, "unauthorized")
        }
        if account.isDeactivated { return .problem(403, "unauthorized") }
        return self.request(path, jws.payload, account: account, authority: authority)
    }

    private mutating func newAccount(_ jws: FlattenedJWS) -> Answer {
        guard let key = keys.first(where: { $0.bareJWK == jws.header["jwk"] }), jws.isSigned(with: key) else {
            violations.append("newAccount: signed with another key than its jwk")
            return .problem(403, "unauthorized")
        }
        guard let payload = try? JSON(parsing: jws.payload) else { return .problem(400, "malformed") }
        if let account = accounts.first(where: { $0.key.bareJWK == key.bareJWK && $0.url != "gone" }) {
            return Answer(200, ["status": "valid"], headers: ["Location": account.url])
        }
        if payload["onlyReturnExisting"]?.bool == true { return .problem(400, "accountDoesNotExist") }
        if payload["termsOfServiceAgreed"]?.bool != true { return .problem(403, "userActionRequired") }
        if let external = settings.externalAccount {
            guard let binding = payload["externalAccountBinding"], let inner = FlattenedJWS(binding.bytes),
                inner.isAuthenticated(with: external.key), inner.header["kid"]?.string == external.keyID,
                inner.header["url"] == jws.header["url"], inner.header["nonce"] == nil,
                (try? JSON(parsing: inner.payload)) == key.bareJWK
            else { return .problem(403, "externalAccountRequired") }
        }
        let account = StandInAuthority.Account(url: "\(StandInAuthority.base)/account/\(accounts.count)", key: key)
        accounts.append(account)
        return Answer(201, ["status": "valid", "contact": payload["contact"] ?? []], headers: ["Location": account.url])
    }

    mutating func keyChange(_ payload: [UInt8], account: StandInAuthority.Account) -> Answer {
        guard let inner = FlattenedJWS(payload), let key = keys.first(where: { $0.bareJWK == inner.header["jwk"] }),
            inner.isSigned(with: key), inner.header["url"]?.string == "\(StandInAuthority.base)/key-change", inner.header["nonce"] == nil,
            let content = try? JSON(parsing: inner.payload), content["account"]?.string == account.url,
            content["oldKey"] == account.key.bareJWK
        else {
            violations.append("key-change: not as RFC 8555 §7.3.5 wants it")
            return .problem(400, "malformed")
        }
        for index in accounts.indices where accounts[index].url == account.url { accounts[index].key = key }
        return Answer(200, ["status": "valid"])
    }
}
