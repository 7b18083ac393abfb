import GateCore
import GateHTTP

/// The name under which a gateway stands in `Via` (RFC 9110 §7.6.3).
package struct ViaPseudonym: Hashable, Sendable {
    let text: String

    /// That of every Gatehouse: several in a row are no loop, so it tells nothing before it has come often.
    package static let common = ViaPseudonym(text: "gatehouse")

    private init(text: String) { self.text = text }

    /// That of an installation: every instance of it has the same, and no other installation has.
    ///
    /// - Parameter suffix: a token (RFC 9110 §5.6.2), without a space or a comma.
    package init(installation suffix: String) { text = "gatehouse-" + suffix }

    /// How often a request has come by a gateway of this name.
    ///
    /// - Parameter via: the values of its `Via` fields.
    func visits(in via: [String]) -> Int {
        via.flatMap { $0.split(separator: ",") }.count { $0.trimmingSpaces().hasSuffix(" " + text) }
    }
}
