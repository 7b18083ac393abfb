import GateCore
import GateCrypto

/// What another configuration changes about the one in force: what can be put in force while the server runs, and what has to wait.
struct ConfigurationChange {
    /// To be put in force: of what needs a restart it has the values of before.
    private(set) var next: Configuration
    /// The paths of the settings that are in force with it.
    private(set) var changed: [String] = []
    private(set) var needsRestart: [String] = []

    init(from old: Configuration, to new: Configuration) {
        next = new
        // The names of certificates and the issuer come from it.
        let hasOtherURL = old.publicURL != new.publicURL
        for key in Configuration.keys where !key.isSame(old, new) {
            if Self.isLive(key.path), !(hasOtherURL && key.path == "acme.domains") {
                changed.append(key.path)
            } else {
                needsRestart.append(key.path)
                key.copy(old, &next)
            }
        }
        if old.limits.custom != new.limits.custom { changed.append("limits.policies") }
        if old.sites != new.sites { changed.append("site") }
    }

    private static let live: Set<String> = [
        "http.max_body", "log.level", "log.access", "tls.certificate", "tls.key", "tls.redirect",
    ]
    private static let liveSections = ["acme.", "api.", "cors.", "headers.", "limits.policies."]

    static func isLive(_ path: String) -> Bool { live.contains(path) || liveSections.contains { path.hasPrefix($0) } }
}
