package import GateCore
import Glibc

/// Which processes of this machine listen on which TCP ports, as ss(8) shows it: from `/proc/net/tcp` and the processes' descriptors,
/// see proc(5).
package struct PortHolders: Sendable {
    /// A process, as far as this user may know it.
    package struct Holder: Hashable, Sendable, CustomStringConvertible {
        package var process: Int32?
        package var name: String?
        /// The user that opened the socket.
        package var user: UInt32

        package var description: String {
            guard let process else { return "a process of user \(PortHolders.userName(user))" }
            return "\(name ?? "a program") (process \(process))"
        }
    }

    struct Listening: Hashable {
        var address: IPAddress
        var port: Int
        var user: UInt32
        var inode: UInt64
    }

    private let root: String

    /// - Parameter root: where proc(5) is mounted.
    package init(root: String = "/proc") { self.root = root }

    /// Who listens on `port` where connections to `address` arrive; on any address for `nil`.
    package func holder(of port: Int, at address: IPAddress?) -> Holder? {
        let sockets = ["tcp", "tcp6"].flatMap { file in
            Self.listening(SystemFile.text("\(root)/net/\(file)"), isIPv6: file == "tcp6")
        }.filter { $0.port == port }
        // The exact address wins over "any", as in the kernel. IPv6's any takes IPv4 too, unless it was told not to.
        let match =
            sockets.first { address == nil || $0.address == address }
            ?? sockets.first { $0.address.isAny && $0.address.isIPv4 == address?.isIPv4 }
            ?? sockets.first { $0.address.isAny && !$0.address.isIPv4 }
        guard let match else { return nil }
        guard let process = process(holding: match.inode) else { return Holder(process: nil, name: nil, user: match.user) }
        let name = SystemFile.text("\(root)/\(process)/comm").prefix { $0 != "\n" }
        return Holder(process: process, name: name.isEmpty ? nil : String(name), user: match.user)
    }

    /// Reads the sockets in state LISTEN (0A). Addresses are words of 32 bits in the machine's order.
    static func listening(_ table: String, isIPv6: Bool) -> [Listening] {
        table.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count > 9, fields[3] == "0A", let user = UInt32(fields[7]), let inode = UInt64(fields[9]) else { return nil }
            let local = fields[1].split(separator: ":")
            guard local.count == 2, let port = Int(local[1], radix: 16), local[0].utf8.count == (isIPv6 ? 32 : 8) else { return nil }
            let digits = Array(local[0])
            let words = stride(from: 0, to: digits.count, by: 8).compactMap { UInt32(String(digits[$0..<$0 + 8]), radix: 16)?.byteSwapped }
            guard words.count == digits.count / 8 else { return nil }
            let address =
                isIPv6
                ? IPAddress(high: UInt64(words[0]) << 32 | UInt64(words[1]), low: UInt64(words[2]) << 32 | UInt64(words[3]))
                : IPAddress(ipv4: words[0])
            return Listening(address: address, port: port, user: user, inode: inode)
        }
    }

    /// Only this user's own processes can be looked into, or all of them by root.
    private func process(holding inode: UInt64) -> Int32? {
        let sought = "socket:[\(inode)]"
        for process in FolderContents.names(in: root).compactMap({ Int32($0) }) {
            for descriptor in FolderContents.names(in: "\(root)/\(process)/fd")
            where Self.link("\(root)/\(process)/fd/\(descriptor)") == sought {
                return process
            }
        }
        return nil
    }

    private static func link(_ path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            let count = readlink(path, buffer.baseAddress!, buffer.count)
            return count > 0
                ? String(decoding: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]), as: UTF8.self) : nil
        }
    }

    static func userName(_ user: UInt32) -> String { getpwuid(user).map { String(cString: $0.pointee.pw_name) } ?? "\(user)" }
}

extension IPAddress {
    fileprivate var isAny: Bool { high == 0 && low == 0 }
}
