import GateCore
import GateNet
import Glibc
import Logging

/// Where each server listens: on the sockets that the service manager has for its addresses, and on its own where there are none.
struct ListenerPlan {
    let http: [ListenerAddress]
    let https: [ListenerAddress]
    let admin: [ListenerAddress]
    let metrics: [ListenerAddress]
    /// What is left, where something is.
    let waiting: WaitingDoor?

    /// - Parameter file: where the operator sets what is not set yet.
    /// - Throws: `CommandFailure` where a socket of the service manager is in the way of an address.
    init(_ configuration: Configuration, _ inherited: InheritedSockets, file: String?, log: Logger) throws(CommandFailure) {
        var inherited = inherited
        http = try Self.listeners(for: configuration.listen.http, &inherited, log)
        https = configuration.tls.mode == .off ? [] : try Self.listeners(for: configuration.listen.https, &inherited, log)
        admin = try Self.listeners(for: [.unix(path: configuration.listen.admin)], &inherited, log)
        metrics = try Self.listeners(for: configuration.metrics.address.map { [$0] } ?? [], &inherited, log)
        waiting = WaitingDoor(inherited.left, configuration, file: file)
    }

    private static func listeners(
        for addresses: [ListenAddress], _ inherited: inout InheritedSockets, _ log: Logger
    ) throws(CommandFailure) -> [ListenerAddress] {
        let (sockets, others) = inherited.take(for: addresses)
        for address in others {
            guard let obstacle = inherited.obstacle(to: address) else { continue }
            throw CommandFailure(
                .configuration,
                "The configuration names \(address), and gatehouse.socket listens on every address of that port (\(obstacle.description)): "
                    + "write :\(obstacle.port ?? 0), or give ListenStream= that one address (systemctl edit gatehouse.socket).")
        }
        let own = reachable(others, besides: sockets.count) { address in
            log.warning("This machine has no IPv6: an address is left out", metadata: ["address": "\(address)"])
        }
        return sockets.map { .descriptor($0.descriptor) } + own.flatMap(\.listenerAddresses)
    }

    /// Without the addresses of IPv6 where the kernel has none and others remain (CHECKLIST 55).
    private static func reachable(_ addresses: [ListenAddress], besides others: Int, leftOut: (ListenAddress) -> Void) -> [ListenAddress] {
        guard !hasIPv6 else { return addresses }
        let kept = addresses.filter { if case .tcp(let address, _) = $0 { address.isIPv4 } else { true } }
        guard kept.count + others > 0 else { return addresses }
        for address in addresses where !kept.contains(address) { leftOut(address) }
        return kept
    }

    fileprivate static let hasIPv6: Bool = {
        let probe = socket(AF_INET6, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { return false }
        close(probe)
        return true
    }()
}

extension ListenAddress {
    /// Every address of the machine is two listeners, or one where the kernel has no IPv6 (CHECKLIST 55).
    var listenerAddresses: [ListenerAddress] {
        switch self {
        case .tcp(let address, let port): [.tcp(host: address.description, port: port)]
        case .anyAddress(let port): (ListenerPlan.hasIPv6 ? ["0.0.0.0", "::"] : ["0.0.0.0"]).map { .tcp(host: $0, port: port) }
        case .unix(let path): [.unix(path: path)]
        }
    }
}
