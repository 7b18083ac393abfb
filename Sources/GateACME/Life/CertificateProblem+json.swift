package import GateCore

extension CertificateProblem {
    /// For the history, and for `cert status --json` (with the time as RFC 3339 beside it).
    package var json: JSON {
        var members = [
            JSON.Member("at", .string(at.rfc3339)), JSON.Member("at_ms", .integer(at.milliseconds)),
            JSON.Member("message", .string(sentence)), JSON.Member("failures", .integer(Int64(count))),
            JSON.Member("rehearsal", .bool(wasRehearsal)),
        ]
        if let directory { members.append(JSON.Member("directory", .string(directory))) }
        if let document { members.append(JSON.Member("problem", document.json)) }
        if !authorizations.isEmpty {
            members.append(
                JSON.Member(
                    "authorizations",
                    .array(
                        authorizations.map { item in
                            [
                                "name": .string(item.name), "challenge": item.challenge.map { .string($0.rawValue) } ?? .null,
                                "problem": item.problem?.json ?? .null,
                            ]
                        })))
        }
        return .object(members)
    }

    init?(json: JSON) {
        guard let at = json["at_ms"]?.integer, let sentence = json["message"]?.string else { return nil }
        self.init(
            at: Timestamp(milliseconds: at), directory: json["directory"]?.string, sentence: sentence,
            document: json["problem"].flatMap { ProblemDocument(json: $0) },
            authorizations: (json["authorizations"]?.array ?? []).compactMap { item in
                guard let name = item["name"]?.string else { return nil }
                return ACMEFailure.Authorization(
                    name: name, challenge: item["challenge"]?.string.flatMap(ChallengeKind.init(rawValue:)),
                    problem: item["problem"].flatMap { ProblemDocument(json: $0) })
            },
            count: Int(clamping: json["failures"]?.integer ?? 1), wasRehearsal: json["rehearsal"]?.bool ?? false)
    }
}
