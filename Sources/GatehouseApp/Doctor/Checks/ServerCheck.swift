/// Whether a server runs, and can be reached.
struct ServerCheck {
    let state: ServerState
    /// Why it cannot be reached, though it has the data folder.
    let trouble: String?
    /// `listen.admin`.
    let socket: String

    func finding() -> Finding {
        switch state {
        case .running(let process):
            let which = process.map { " (process \($0))" } ?? ""
            guard let trouble else { return say(.ok, "gatehouse runs\(which).") }
            return say(
                .problem, "A server works on the data folder\(which), and cannot be asked: \(trouble).",
                "See that it was started with the same configuration (listen.admin is \(socket) here), and whether it hangs: its log, "
                    + "systemctl status gatehouse.")
        case .stopped: return say(.skipped, "No server works on the data folder; the doctor listened in its place.")
        case .unreadableKey(let why):
            return say(
                .warning, "A server may run; this user cannot ask it: \(why).",
                "Run gatehouse doctor as the user that owns the data folder, or as root.")
        }
    }

    private func say(_ status: Finding.Status, _ seen: String, _ advice: String? = nil) -> Finding {
        Finding("server", Finding.thisMachine, status, seen, advice: advice)
    }
}
