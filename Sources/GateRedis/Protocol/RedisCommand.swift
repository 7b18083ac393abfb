package import NIOCore

/// A command as the bytes that are sent: an array of bulk strings.
package struct RedisCommand: Sendable {
    package private(set) var buffer = ByteBuffer()

    /// - Parameter count: of the parts, the command's name among them: as many are to be added.
    package init(parts count: Int, capacity: Int = 256) {
        buffer.reserveCapacity(capacity)
        header(UInt8(ascii: "*"), count)
    }

    package init(_ parts: String...) { self.init(parts) }

    package init(_ parts: [String]) {
        self.init(parts: parts.count)
        for part in parts { add(part) }
    }

    package mutating func add(_ text: String) {
        header(UInt8(ascii: "$"), text.utf8.count)
        buffer.writeString(text)
        end()
    }

    package mutating func add(_ bytes: some Collection<UInt8>) {
        header(UInt8(ascii: "$"), bytes.count)
        buffer.writeBytes(bytes)
        end()
    }

    /// In decimal.
    package mutating func add(_ number: Int64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            let start = Self.digits(of: number, in: digits)
            header(UInt8(ascii: "$"), 20 - start)
            buffer.writeBytes(digits[start...])
        }
        end()
    }

    private mutating func header(_ type: UInt8, _ count: Int) {
        buffer.writeInteger(type)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            _ = buffer.writeBytes(digits[Self.digits(of: Int64(count), in: digits)...])
        }
        end()
    }

    private mutating func end() { buffer.writeInteger(0x0D0A as UInt16) }

    /// - Returns: where they begin: they stand at the end.
    private static func digits(of number: Int64, in buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var rest = number.magnitude
        var place = buffer.count
        repeat {
            place -= 1
            buffer[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        if number < 0 {
            place -= 1
            buffer[place] = UInt8(ascii: "-")
        }
        return place
    }
}
