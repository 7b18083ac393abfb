import GateCore
import GateNet

/// Whether an address that is configured to be listened on can be.
struct ListenCheck {
    enum Outcome: Hashable {
        /// The running server has it.
        case ours
        /// It was free.
        case free
        case failed(ListenError.Reason, String)
        /// It is taken, and not by us.
        case taken(PortHolders.Holder?)
    }

    /// `listen.http`, `listen.https` or `metrics.address`.
    let key: String
    let address: ListenAddress
    let outcome: Outcome

    func finding() -> Finding {
        switch outcome {
        case .ours: say(.ok, "\(address) (\(key)) is listened on by gatehouse.")
        case .free: say(.ok, "\(address) (\(key)) is free.")
        case .taken(let holder):
            say(
                .problem, "\(address) (\(key)) is taken by \(holder?.description ?? "another program").",
                "Stop it (and keep it from starting again: systemctl disable --now NAME), or set \(key) to another address.")
        case .failed(.notPermitted, _):
            say(
                .problem, "\(address) (\(key)) may not be listened on: ports below 1024 need a right that this user has not.",
                "Under systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE. Otherwise: setcap cap_net_bind_service=+ep on the program, or sysctl "
                    + "net.ipv4.ip_unprivileged_port_start=80")
        case .failed(.addressUnavailable, _):
            say(
                .problem, "\(address) (\(key)) is no address of this machine.",
                "Set \(key) to \":\(address.port ?? 443)\" for every address, or to one that `ip address` shows.")
        case .failed(_, let words): say(.problem, "\(address) (\(key)) cannot be listened on: \(words).", "See \(key).")
        }
    }

    private func say(_ status: Finding.Status, _ seen: String, _ advice: String? = nil) -> Finding {
        Finding("listen", Finding.thisMachine, status, seen, advice: advice)
    }
}
