package import GateCore
package import NIOHTTP1

/// Who a representation is: what conditional requests compare (RFC 9110 §8.8).
package struct Validators: Hashable, Sendable {
    /// With its quotes, and `W/` before it where it is weak.
    package var entityTag: String
    /// `nil` where it is not known.
    package var lastModified: Timestamp?

    package init(entityTag: String, lastModified: Timestamp?) {
        self.entityTag = entityTag
        self.lastModified = lastModified
    }
}

/// Conditional requests (RFC 9110 §13), for something that exists.
package enum Preconditions {
    package enum Verdict: Hashable, Sendable {
        case proceed
        /// 304: the client has it already.
        case notModified
        /// 412.
        case failed
    }

    /// In the order of §13.2.2, for GET and HEAD. A date that is none is ignored, as if it were not there.
    package static func evaluate(_ headers: HTTPHeaders, against current: Validators) -> Verdict {
        if headers.contains(name: "if-match") {
            guard isAnyMatch(headers["if-match"], { strongly(EntityTag(current.entityTag), $0) }) else { return .failed }
        } else if let date = date(headers, "if-unmodified-since"), let modified = current.lastModified, modified.seconds > date.seconds {
            return .failed
        }
        if headers.contains(name: "if-none-match") {
            return isAnyMatch(headers["if-none-match"], { weakly(EntityTag(current.entityTag), $0) }) ? .notModified : .proceed
        }
        if let date = date(headers, "if-modified-since"), let modified = current.lastModified, modified.seconds <= date.seconds {
            return .notModified
        }
        return .proceed
    }

    /// Whether `Range` is to be looked at, by `If-Range` (§13.1.5): a part is given only to who has other parts of the very same bytes.
    /// A date counts where it is the very one that was sent, and old enough that nothing can have been written twice in its second (§8.8.2.2).
    package static func allowsRange(_ headers: HTTPHeaders, of current: Validators, at now: Timestamp) -> Bool {
        guard let condition = headers.first(name: "if-range") else { return true }
        if let tag = EntityTag(condition) { return strongly(EntityTag(current.entityTag), tag) }
        guard let date = Timestamp(httpDate: condition), let modified = current.lastModified else { return false }
        return modified.seconds == date.seconds && now - modified >= .seconds(2)
    }

    private static func date(_ headers: HTTPHeaders, _ name: String) -> Timestamp? {
        headers.first(name: name).flatMap { Timestamp(httpDate: $0) }
    }

    private static func strongly(_ current: EntityTag?, _ other: EntityTag) -> Bool {
        guard let current else { return false }
        return !current.isWeak && !other.isWeak && current.opaque == other.opaque
    }

    private static func weakly(_ current: EntityTag?, _ other: EntityTag) -> Bool { current?.opaque == other.opaque }

    private static func isAnyMatch(_ lines: [String], _ matches: (EntityTag) -> Bool) -> Bool {
        lines.contains { line in
            if line.trimmingSpaces() == "*" { return true }
            return EntityTag.list(line).contains(where: matches)
        }
    }
}

/// An entity tag (RFC 9110 §8.8.3).
struct EntityTag: Hashable {
    let isWeak: Bool
    /// Between the quotes.
    let opaque: Substring

    /// `nil` for what is no entity tag, such as a date.
    init?(_ text: some StringProtocol) {
        let tags = Self.list(text)
        guard tags.count == 1, let tag = tags.first, text.hasPrefix("\"") || text.hasPrefix("W/\""), text.hasSuffix("\"") else {
            return nil
        }
        self = tag
    }

    private init(isWeak: Bool, opaque: Substring) {
        self.isWeak = isWeak
        self.opaque = opaque
    }

    /// Those of a list. A comma may stand within quotes; reading ends at what is no entity tag.
    static func list(_ text: some StringProtocol) -> [EntityTag] {
        var tags: [EntityTag] = []
        var rest = Substring(text)
        while true {
            rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," }
            let isWeak = rest.hasPrefix("W/")
            if isWeak { rest = rest.dropFirst(2) }
            guard rest.first == "\"" else { return tags }
            rest = rest.dropFirst()
            guard let quote = rest.firstIndex(of: "\"") else { return tags }
            tags.append(EntityTag(isWeak: isWeak, opaque: rest[..<quote]))
            rest = rest[rest.index(after: quote)...]
        }
    }
}
