import GateCore

/// What one instance has changed, as far as others remember it.
package enum IdentityChange: Hashable, Sendable {
    /// A session or an access token is refused from now on.
    case revoked(Revocation)
    /// What is told of a user is another: name, address, memberships, whether the user is there.
    case profile(User.ID)
    /// More than is told one by one: whatever is remembered has to be read again.
    case everything
}

/// The form in which feeds carry a change: words with one space between, times in milliseconds since 1970.
///
///     session 0197a3e2-… 1795253334000
///     token 0197a3e2-… 1795253334000
///     profile 0197a3e2-…
///     everything
///
/// ASCII, at most 65 bytes, without a line break: a trigger in SQL can write it, and a feed may send several as lines.
extension IdentityChange {
    package var text: String {
        switch self {
        case .revoked(let revocation):
            switch revocation.subject {
            case .session(let id): "session \(id) \(revocation.expiresAt.milliseconds)"
            case .token(let id): "token \(id) \(revocation.expiresAt.milliseconds)"
            }
        case .profile(let id): "profile \(id)"
        case .everything: "everything"
        }
    }

    /// Reads one change; `nil` for everything that ``text`` does not write. What a newer version tells of, an older one cannot heed:
    /// ``all(in:)`` makes of it that everything has changed.
    package init?(_ text: some StringProtocol) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        switch (words.first, words.count) {
        case ("session", 3):
            guard let id = Session.ID(words[1]), let end = Int64(words[2]) else { return nil }
            self = .revoked(Revocation(subject: .session(id), expiresAt: Timestamp(milliseconds: end)))
        case ("token", 3):
            guard let id = AccessToken.ID(words[1]), let end = Int64(words[2]) else { return nil }
            self = .revoked(Revocation(subject: .token(id), expiresAt: Timestamp(milliseconds: end)))
        case ("profile", 2):
            guard let id = User.ID(words[1]) else { return nil }
            self = .profile(id)
        case ("everything", 1): self = .everything
        default: return nil
        }
    }

    /// Reads what a feed has carried: changes as lines. One line that cannot be read stands for everything.
    package static func all(in text: some StringProtocol) -> [IdentityChange] {
        let lines = text.split(separator: "\n")
        var changes: [IdentityChange] = []
        for line in lines {
            guard let change = IdentityChange(line) else { return [.everything] }
            changes.append(change)
        }
        return changes.isEmpty ? [.everything] : changes
    }
}
