import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension ListenError {
    init(_ address: ListenerAddress, _ error: any Error) {
        if let error = error as? ListenError {
            self = error
            return
        }
        guard let code = (error as? IOError)?.errnoCode else {
            self.init(address, .addressUnavailable, "the address cannot be resolved (\(error)); check the host name in the configuration")
            return
        }
        self.init(address, code: code)
    }

    init(_ address: ListenerAddress, code: CInt) {
        let port: Int? = if case .tcp(_, let port) = address { port } else { nil }
        switch code {
        case EADDRINUSE:
            let finder = port.map { "; `ss -ltnp 'sport = :\($0)'` shows which" } ?? ""
            self.init(address, .addressInUse, "another process listens there already\(finder)")
        case EACCES, EPERM:
            self.init(
                address, .notPermitted,
                (port ?? 1024) < 1024
                    ? "ports below 1024 need the capability CAP_NET_BIND_SERVICE, or a socket handed over by systemd; where "
                        + "gatehouse.socket should, `systemctl status gatehouse.socket` says why it does not"
                    : "permission denied; check the owner and mode of the folder")
        case EAFNOSUPPORT: self.init(address, .addressUnavailable, "this machine has no IPv6; leave the address out")
        case EADDRNOTAVAIL: self.init(address, .addressUnavailable, "no interface of this machine has that address")
        case ENOENT, ENOTDIR: self.init(address, .badPath, "its folder does not exist")
        default: self.init(address, .other, String(cString: strerror(code)))
        }
    }

    init(_ address: ListenerAddress, _ reason: Reason, _ advice: String) {
        self.init(address: address, reason: reason, description: "cannot listen on \(address): \(advice)")
    }
}
