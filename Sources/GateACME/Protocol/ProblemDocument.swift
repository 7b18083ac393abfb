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
    package let subproblems: [ProblemDocument]

    package init(
        type: String, title: String? = nil, detail: String? = nil, status: Int? = nil, identifier: String? = nil,
        subproblems: [ProblemDocument] = []
    ) {
        self.type = type
        self.title = title
        self.detail = detail
        self.status = status
        self.identifier = identifier
        self.subproblems = subproblems
    }
}
