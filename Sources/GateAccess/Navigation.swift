import GateCore
package import GateHTTP
import NIOHTTP1

extension Request {
    /// Whether a person waits for a page: a browser goes to an address, rather than a program or a page's script asking for something.
    ///
    /// Browsers say so in `Sec-Fetch-Mode` (Fetch Metadata §2.2); the few that don't, and whoever copies them, ask for `text/html` by name.
    package var isNavigation: Bool {
        if let mode = headers.first(name: "sec-fetch-mode") { return mode == "navigate" }
        guard method == .GET || method == .HEAD || method == .POST, !headers.contains(name: "x-requested-with"),
            !headers.contains(name: "authorization")
        else { return false }
        return headers["accept"].contains { $0.lowercased().split(separator: ",").contains { Self.isHTML($0) } }
    }

    private static func isHTML(_ range: Substring) -> Bool {
        let parts = range.split(separator: ";").map { $0.trimmingSpaces() }
        guard let type = parts.first, type == "text/html" || type == "application/xhtml+xml" else { return false }
        return !parts.dropFirst().contains { $0 == "q=0" || $0 == "q=0.0" || $0 == "q=0.00" || $0 == "q=0.000" }
    }

    /// Whether it asks to go on with another protocol, or will, where a proxy in front of us keeps `Upgrade` to itself (CHECKLIST 15).
    /// `h2c` is a client's offer that everyone declines, and nothing that a page could ask for.
    package var isUpgrade: Bool { upgrade.map { $0 != "h2c" } ?? headers.contains(name: "sec-websocket-key") }
}
