import GateCore
import GateCrypto
import NIOHTTP1

/// Orders, authorizations and certificates (RFC 8555 §7.4 to §7.6).
extension StandInAuthority.State {
    mutating func request(_ path: String, _ payload: [UInt8], account: StandInAuthority.Account, authority: StandInAuthority) -> Answer {
        let parts = path.split(separator: "/").map(String.init)
        let index = parts.count > 1 ? Int(parts[1]) ?? -1 : -1
        switch parts.first {
        case "order-new": return newOrder(payload, account: account)
        case "key-change": return keyChange(payload, account: account)
        case "account": return Answer(200, ["status": "valid"])
        case "revoke":
            let certificate = (try? JSON(parsing: payload))?["certificate"]?.string ?? ""
            return revoked.insert(certificate).inserted ? Answer(200) : .problem(400, "alreadyRevoked")
        case "order" where orders.indices.contains(index) && orders[index].account == account.url:
            wantPostAsGet(path, payload)
            return order(index, isQuestion: true)
        case "authorization" where authorizations.indices.contains(index) && authorizations[index].account == account.url:
            return authorization(index, payload)
        case "challenge" where authorizations.indices.contains(index) && parts.count == 3:
            return challenge(index, parts[2], payload, account: account, authority: authority)
        case "finalize" where orders.indices.contains(index): return finalize(index, payload)
        case "certificate" where orders.indices.contains(index):
            wantPostAsGet(path, payload)
            var answer = Answer(200, headers: ["Content-Type": "application/pem-certificate-chain"])
            answer.body = authority.chain(orders[index].names)
            return answer
        default: return .problem(404, "malformed", "no such thing")
        }
    }

    private mutating func wantPostAsGet(_ path: String, _ payload: [UInt8]) {
        if !payload.isEmpty { violations.append("\(path): read with a payload (§6.3)") }
    }

    private mutating func newOrder(_ payload: [UInt8], account: StandInAuthority.Account) -> Answer {
        guard let json = try? JSON(parsing: payload), let identifiers = json["identifiers"]?.array, !identifiers.isEmpty else {
            return .problem(400, "malformed")
        }
        newOrders.append(json)
        let names = identifiers.compactMap { $0["value"]?.string }
        if json["replaces"] != nil {
            if !settings.hasRenewalInfo { violations.append("replaces, but no renewalInfo (RFC 9773 §5)") }
            if settings.refusesReplaces { return .problem(409, "alreadyReplaced") }
        }
        if let profile = json["profile"]?.string, !settings.profiles.contains(profile) { return .problem(400, "invalidProfile") }
        var created: [Int] = []
        for name in names {
            created.append(authorizations.count)
            authorizations.append(
                StandInAuthority.Authorization(
                    name: name, account: account.url, status: settings.proven.contains(name) ? "valid" : "pending",
                    token: "token-\(authorizations.count)-0123456789abcdef"))
        }
        orders.append(StandInAuthority.Order(names: names, account: account.url, authorizations: created))
        var answer = order(orders.count - 1, isQuestion: false)
        answer.status = 201
        answer.headers.add(name: "Location", value: "\(StandInAuthority.base)/order/\(orders.count - 1)")
        return answer
    }

    private mutating func order(_ index: Int, isQuestion: Bool) -> Answer {
        let base = StandInAuthority.base
        if isQuestion, orders[index].isFinalized { orders[index].polls += 1 }
        let order = orders[index]
        let statuses = order.authorizations.map { authorizations[$0].status }
        var status = "pending"
        if order.isFinalized {
            status = order.polls >= settings.pollsUntilIssued ? "valid" : "processing"
        } else if statuses.contains(where: { $0 != "valid" && $0 != "pending" }) {
            status = "invalid"
        } else if statuses.allSatisfy({ $0 == "valid" }) {
            status = "ready"
        }
        var members: [JSON.Member] = [
            JSON.Member("status", .string(status)), JSON.Member("expires", "2026-12-31T00:00:00Z"),
            JSON.Member("identifiers", .array(order.names.reversed().map { ["type": "dns", "value": .string($0.uppercased())] })),
            JSON.Member("authorizations", .array(order.authorizations.map { .string("\(base)/authorization/\($0)") })),
            JSON.Member("finalize", .string("\(base)/finalize/\(index)")), JSON.Member("futureMember", [1, 2]),
        ]
        if status == "valid" { members.append(JSON.Member("certificate", .string("\(base)/certificate/\(index)"))) }
        var answer = Answer(200, .object(members))
        if status == "processing", let retryAfter = settings.retryAfter { answer.headers.add(name: "Retry-After", value: retryAfter) }
        return answer
    }

    private mutating func authorization(_ index: Int, _ payload: [UInt8]) -> Answer {
        if !payload.isEmpty {
            guard (try? JSON(parsing: payload)) == ["status": "deactivated"] else { return .problem(400, "malformed") }
            authorizations[index].status = "deactivated"
        } else if authorizations[index].begun != nil, authorizations[index].status == "pending" {
            authorizations[index].polls += 1
            if authorizations[index].polls > settings.pollsUntilProven {
                authorizations[index].status = authorizations[index].problem == nil ? "valid" : "invalid"
            }
        }
        let record = authorizations[index]
        let challenges = settings.offered.filter { record.begun == nil || $0 == record.begun || record.status == "pending" }.map { type in
            var members: [JSON.Member] = [
                JSON.Member("type", .string(type)), JSON.Member("token", .string(record.token)),
                JSON.Member("url", .string("\(StandInAuthority.base)/challenge/\(index)/\(type)")),
                JSON.Member(
                    "status",
                    .string(
                        record.begun != type ? "pending" : record.status == "pending" ? "processing" : record.status)),
            ]
            if record.begun == type, record.status == "invalid", let problem = record.problem {
                members.append(
                    JSON.Member(
                        "error",
                        [
                            "type": .string("urn:ietf:params:acme:error:\(problem)"), "status": 400,
                            "detail": .string("\(record.name) failed by \(problem)"),
                        ]))
            }
            return JSON.object(members)
        }
        var answer = Answer(
            200,
            [
                "status": .string(record.status), "identifier": ["type": "dns", "value": .string(record.name)],
                "challenges": .array(challenges), "expires": "2026-12-31T00:00:00Z",
            ])
        if let retryAfter = settings.retryAfter { answer.headers.add(name: "Retry-After", value: retryAfter) }
        return answer
    }

    private mutating func challenge(
        _ index: Int, _ type: String, _ payload: [UInt8], account: StandInAuthority.Account, authority: StandInAuthority
    ) -> Answer {
        if (try? JSON(parsing: payload)) != .object([]) { violations.append("challenge: the payload is not {} (§7.5.1)") }
        let record = authorizations[index]
        guard record.begun == nil, record.status == "pending" else { return .problem(400, "malformed", "it was taken up before") }
        authorizations[index].begun = type
        let keyAuthorization = "\(record.token).\(Base64URL.encode(account.key.thumbprint ?? []))"
        if let problem = settings.failing[record.name] {
            authorizations[index].problem = problem
        } else if settings.failingChallenges.contains(type) {
            authorizations[index].problem = "connection"
        } else if !authority.isPresented(type, record.name, record.token, keyAuthorization) {
            authorizations[index].problem = "unauthorized"
            violations.append("challenge: \(type) for \(record.name) was not presented before the authority was told (§7.5.1)")
        }
        return Answer(
            200,
            [
                "type": .string(type), "status": "processing", "token": .string(record.token),
                "url": .string("\(StandInAuthority.base)/challenge/\(index)/\(type)"),
            ])
    }

    private mutating func finalize(_ index: Int, _ payload: [UInt8]) -> Answer {
        guard let csr = (try? JSON(parsing: payload))?["csr"]?.string.flatMap({ Base64URL.decode($0.utf8) }) else {
            return .problem(400, "malformed")
        }
        for name in orders[index].names where csr.firstRange(of: Array(name.utf8)) == nil {
            violations.append("finalize: the request lacks \(name) (§7.4)")
        }
        guard orders[index].authorizations.allSatisfy({ authorizations[$0].status == "valid" }) else {
            violations.append("finalize: the order is not ready (§7.4)")
            return .problem(403, "orderNotReady")
        }
        if orders[index].isFinalized { violations.append("finalize: a second time") }
        orders[index].isFinalized = true
        return order(index, isQuestion: false)
    }
}
