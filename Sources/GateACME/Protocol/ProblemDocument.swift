package import GateCore

/// A problem document of an authority (RFC 7807, RFC 8555 §6.7). All of it is the authority's text, not ours.
package struct ProblemDocument: Hashable, Sendable {
    /// A URI; `about:blank` where the authority gave none (RFC 7807 §4.2).
    package let type: String
    package let title: String?
    package let detail: String?
    /// The status code of the answer that carried it.
    package let status: Int?
    /// Which name it is about (RFC 8555 §6.7.1).
    package let identifier: String?
    /// A page for the person who runs the account (RFC 8555 §7.3.3).
    package let instance: String?
    package let subproblems: [ProblemDocument]

    package init(
        type: String, title: String? = nil, detail: String? = nil, status: Int? = nil, identifier: String? = nil,
        instance: String? = nil, subproblems: [ProblemDocument] = []
    ) {
        self.type = type
        self.title = title
        self.detail = detail
        self.status = status
        self.identifier = identifier
        self.instance = instance
        self.subproblems = subproblems
    }
}

extension ProblemDocument {
    /// The part of an ACME type that tells (RFC 8555 §6.7), such as `rateLimited`; empty for types of others.
    package var kind: String { type.hasPrefix(Self.namespace) ? String(type.dropFirst(Self.namespace.count)) : "" }

    package static let namespace = "urn:ietf:params:acme:error:"

    /// A member of another type than it should have is passed over (RFC 7807 §3.1): a fault in the document must not hide the one that it
    /// reports. `nil` where it is no object.
    package init?(json: JSON) { self.init(json: json, depth: 0) }

    private init?(json: JSON, depth: Int) {
        guard json.members != nil else { return nil }
        // Subproblems have none of their own (RFC 8555 §6.7.1).
        let parts = depth == 0 ? json["subproblems"]?.array ?? [] : []
        self.init(
            type: json["type"]?.string.map(Self.printable) ?? "about:blank", title: json["title"]?.string.map(Self.printable),
            detail: json["detail"]?.string.map(Self.printable),
            status: json["status"]?.integer.flatMap { (100...599).contains($0) ? Int($0) : nil },
            identifier: json["identifier"]?["value"]?.string.map(Self.printable), instance: json["instance"]?.string.map(Self.printable),
            subproblems: parts.prefix(Self.maximumSubproblems).compactMap { ProblemDocument(json: $0, depth: depth + 1) })
    }

    /// As many as an order has names, at the largest authorities.
    private static let maximumSubproblems = 100
    private static let maximumText = 2000

    /// Goes to logs and terminals: no control characters, and not without end.
    private static func printable(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(maximumText).map { scalar in
            scalar.properties.generalCategory == .control ? " " : scalar
        }
        return String(String.UnicodeScalarView(shown))
    }

    /// For a record that is kept, and for `cert status`.
    package var json: JSON {
        var members = [JSON.Member("type", .string(type))]
        if let title { members.append(JSON.Member("title", .string(title))) }
        if let detail { members.append(JSON.Member("detail", .string(detail))) }
        if let status { members.append(JSON.Member("status", .integer(Int64(status)))) }
        if let identifier { members.append(JSON.Member("identifier", ["value": .string(identifier)])) }
        if let instance { members.append(JSON.Member("instance", .string(instance))) }
        if !subproblems.isEmpty { members.append(JSON.Member("subproblems", .array(subproblems.map(\.json)))) }
        return .object(members)
    }
}
