import GateHTTP
import NIOHTTP1

/// The fields of a connection's last head. A client that keeps its connection mostly sends the same ones again, octet for octet, and
/// reading and storing them anew is half of what reading a request costs.
struct RecentFields {
    /// Longer ones are not kept, in bytes: there may be many connections.
    private static let longest = 2 << 10
    private var lines: [UInt8] = []
    private var fields: RequestFields?

    /// What ``RequestFields`` makes of these lines.
    mutating func read(_ lines: UnsafeRawBufferPointer, limits: ServerLimits) throws(RequestFault) -> RequestFields {
        if let fields, isSame(lines) { return fields }
        self.fields = nil
        self.lines.removeAll(keepingCapacity: true)
        let fields = try RequestFields(lines, limits: limits)
        if lines.count <= Self.longest {
            self.lines.append(contentsOf: lines)
            self.fields = fields
        }
        return fields
    }

    mutating func forget() { self = RecentFields() }

    /// In a time that does not depend on where they differ: a proxy may send the requests of several users on one connection, and there are
    /// their tokens in them.
    private func isSame(_ lines: UnsafeRawBufferPointer) -> Bool {
        guard lines.count == self.lines.count else { return false }
        return self.lines.withUnsafeBytes { kept in
            typealias Word = SIMD4<UInt64>
            var difference = Word.zero
            var rest: UInt8 = 0
            var place = 0
            while place + 32 <= kept.count {
                difference |=
                    kept.loadUnaligned(fromByteOffset: place, as: Word.self) ^ lines.loadUnaligned(fromByteOffset: place, as: Word.self)
                place += 32
            }
            while place < kept.count {
                rest |= kept[place] ^ lines[place]
                place += 1
            }
            return difference == .zero && rest == 0
        }
    }
}
