/// Bech32 (BIP 173), as age writes keys: without its limit of 90 characters.
enum Bech32 {
    private static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 128)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    /// - Parameter prefix: the human-readable part, in lower case.
    static func encode(_ bytes: [UInt8], prefix: String) -> String {
        let data = regroup(bytes, from: 8, to: 5, padding: true) ?? []
        let checksum = checksum(Array(prefix.utf8), data + [UInt8](repeating: 0, count: 6)) ^ 1
        let tail = (0..<6).map { UInt8(truncatingIfNeeded: checksum >> UInt32(5 * (5 - $0)) & 31) }
        return prefix + "1" + String(decoding: (data + tail).map { alphabet[Int($0)] }, as: UTF8.self)
    }

    /// The bytes of `text`, if it has this prefix, a right checksum, and is written in one case.
    static func decode(_ text: String, prefix: String) -> [UInt8]? {
        let lower = text.lowercased()
        guard text == lower || text == text.uppercased(), lower.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            let one = lower.lastIndex(of: "1"), lower[..<one] == prefix
        else { return nil }
        var data: [UInt8] = []
        for character in lower[lower.index(after: one)...].utf8 {
            guard values[Int(character)] != 0xFF else { return nil }
            data.append(values[Int(character)])
        }
        guard data.count >= 6, checksum(Array(prefix.utf8), data) == 1 else { return nil }
        return regroup(data.dropLast(6), from: 5, to: 8, padding: false)
    }

    private static func checksum(_ prefix: [UInt8], _ data: [UInt8]) -> UInt32 {
        let generator: [UInt32] = [0x3B6A_57B2, 0x2650_8E6D, 0x1EA1_19FA, 0x3D42_33DD, 0x2A14_62B3]
        var sum: UInt32 = 1
        for value in prefix.map({ $0 >> 5 }) + [0] + prefix.map({ $0 & 31 }) + data {
            let top = sum >> 25
            sum = (sum & 0x1FF_FFFF) << 5 ^ UInt32(value)
            for bit in 0..<5 where top >> UInt32(bit) & 1 == 1 { sum ^= generator[bit] }
        }
        return sum
    }

    private static func regroup(_ values: some Collection<UInt8>, from: UInt32, to: UInt32, padding: Bool) -> [UInt8]? {
        var bits: UInt32 = 0
        var count: UInt32 = 0
        var result: [UInt8] = []
        for value in values {
            bits = bits << from | UInt32(value)
            count += from
            while count >= to {
                count -= to
                result.append(UInt8(truncatingIfNeeded: bits >> count) & UInt8(truncatingIfNeeded: (1 << to) - 1))
            }
            bits &= (1 << count) - 1
        }
        if padding {
            if count > 0 { result.append(UInt8(truncatingIfNeeded: bits << (to - count))) }
        } else if count >= from || bits != 0 {
            return nil
        }
        return result
    }
}
