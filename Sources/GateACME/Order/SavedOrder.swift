package import GateCore

/// An order that the authority knows, with all that is needed to resume it in another process: which state it is in is asked of the
/// authority.
package struct SavedOrder: Sendable, Equatable {
    /// Of the authority's directory.
    package let directory: String
    package let url: String
    package let names: [String]
    package let profile: String?
    /// PEM: the private key that the certificate will be for.
    package let key: Secret
    /// How control of each name is being proven, for those that had been begun.
    package var challenges: [String: ChallengeKind]
    /// How many attempts have gone on with it after the one that made it.
    package var resumptions: Int

    package init(
        directory: String, url: String, names: [String], profile: String? = nil, key: Secret,
        challenges: [String: ChallengeKind] = [:], resumptions: Int = 0
    ) {
        self.directory = directory
        self.url = url
        self.names = names
        self.profile = profile
        self.key = key
        self.challenges = challenges
        self.resumptions = resumptions
    }
}

extension SavedOrder {
    /// For a file that only this server may read: it holds the private key.
    package var json: JSON {
        [
            "directory": .string(directory), "url": .string(url), "names": .array(names.map { .string($0) }),
            "profile": profile.map { .string($0) } ?? .null, "key": .string(String(decoding: key.exposed, as: UTF8.self)),
            "challenges": .object(challenges.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value.rawValue)) }),
            "resumptions": .integer(Int64(resumptions)),
        ]
    }

    /// `nil` where it is not what `json` wrote.
    package init?(json: JSON) {
        guard let directory = json["directory"]?.string, let url = json["url"]?.string, let names = json["names"]?.array,
            let key = json["key"]?.string
        else { return nil }
        let texts = names.compactMap(\.string)
        guard texts.count == names.count, !texts.isEmpty else { return nil }
        self.init(directory: directory, url: url, names: texts, profile: json["profile"]?.string, key: Secret(key))
        resumptions = json["resumptions"]?.integer.map { Int(clamping: max($0, 0)) } ?? 0
        for member in json["challenges"]?.members ?? [] {
            challenges[member.name] = member.value.string.flatMap(ChallengeKind.init(rawValue:))
        }
    }
}
