/// One step of the schema: the statements that make it, and those that take it back.
package struct Migration: Hashable, Sendable {
    /// Counted from one. Steps are applied in this order.
    package let version: Int
    package let name: String
    package let up: String
    package let down: String

    package init(version: Int, name: String, up: String, down: String) {
        self.version = version
        self.name = name
        self.up = up
        self.down = down
    }

    /// What tells whether a step that was applied was edited since: FNV-1a, 64 bits (RFC 9923), over the text of `up`, as 16
    /// hexadecimal digits. It guards against a slip, not against an adversary: who can edit the one can edit the other.
    ///
    /// `down` is not part of it: correcting the way back does not alter what was applied.
    package var checksum: String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in up.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
