package import NIOHTTP1

/// What `Accept-Encoding` says of content codings (RFC 9110 §12.5.3).
package struct AcceptedCodings: Sendable {
    private var weights: [(coding: Substring, weight: Double)] = []
    private let isSaid: Bool

    package init(_ headers: HTTPHeaders) {
        let elements = headers[canonicalForm: "accept-encoding"]
        isSaid = !elements.isEmpty
        for element in elements {
            let parts = element.split(separator: ";", omittingEmptySubsequences: false).map { $0.trimmingSpaces() }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") || $0.hasPrefix("Q=") }.map { Double($0.dropFirst(2)) ?? 0 }
            weights.append((Substring(parts[0].lowercased()), min(max(weight ?? 1, 0), 1)))
        }
    }

    /// From 0, which refuses it, to 1. Without the field no coding is taken to be acceptable: whoever sends none may be a program that
    /// knows none.
    package func weight(of coding: String) -> Double {
        let names = coding == "gzip" ? ["gzip", "x-gzip"] : [coding]
        if let named = weights.first(where: { names.contains(String($0.coding)) }) { return named.weight }
        return weights.first { $0.coding == "*" }?.weight ?? 0
    }

    /// The weight of sending it as it is: acceptable unless refused, and liked least where it is not named.
    package var identityWeight: Double {
        if let named = weights.first(where: { $0.coding == "identity" }) { return named.weight }
        if let star = weights.first(where: { $0.coding == "*" }), star.weight == 0 { return 0 }
        return isSaid ? 0.0001 : 1
    }
}
