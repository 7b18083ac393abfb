import GateCore
import GateHTTP
import GateIdentity
import NIOHTTP1

extension JSONWriter {
    /// A user as clients see it.
    mutating func value(_ profile: UserProfile) {
        let user = profile.user
        beginObject()
        member("id", user.id.description)
        member("email", user.email.text)
        member("email_verified", user.isEmailVerified)
        member("name", user.name)
        member("avatar_url", user.avatarURL)
        name("orgs")
        beginArray()
        for membership in profile.memberships { value(membership) }
        endArray()
        member("created_at", user.createdAt)
        member("updated_at", user.updatedAt)
        endObject()
    }

    /// An organisation as its member sees it.
    mutating func value(_ membership: Membership) {
        beginObject()
        member("id", membership.organisation.id.description)
        member("name", membership.organisation.name)
        member("role", membership.role.rawValue)
        endObject()
    }

    mutating func value(_ member: Member) {
        beginObject()
        self.member("user_id", member.user.id.description)
        self.member("email", member.user.email.text)
        self.member("name", member.user.name)
        self.member("avatar_url", member.user.avatarURL)
        self.member("role", member.role.rawValue)
        self.member("joined_at", member.joinedAt)
        endObject()
    }

    /// A session as its user, or the operator, sees it. `current` is left out where it means nothing.
    mutating func value(_ session: Session, isCurrent: Bool?) {
        beginObject()
        member("id", session.id.description)
        member("device", session.device.userAgent)
        member("address", session.device.address)
        member("created_at", session.createdAt)
        member("last_used_at", session.lastUsedAt)
        member("expires_at", session.expiresAt)
        if let isCurrent { member("current", isCurrent) }
        endObject()
    }
}

extension Response {
    /// JSON that belongs to one person: no cache may keep it (RFC 9111 §5.2.2.5).
    static func personal(_ status: HTTPResponseStatus = .ok, _ write: (inout JSONWriter) -> Void) -> Response {
        var writer = JSONWriter(reserving: 512)
        write(&writer)
        var response = Response.json(status, writer.bytes)
        response.headers.add(name: "cache-control", value: "no-store")
        return response
    }

    /// `{"KEY": [...]}`
    static func list<Element>(_ key: String, _ elements: [Element], _ write: (inout JSONWriter, Element) -> Void) -> Response {
        personal { writer in
            writer.beginObject()
            writer.name(key)
            writer.beginArray()
            for element in elements { write(&writer, element) }
            writer.endArray()
            writer.endObject()
        }
    }
}
