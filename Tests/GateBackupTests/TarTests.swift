import GateCore
import GateTesting
import Testing

@testable import GateBackup

@Suite struct TarTests {
    static let time = Timestamp(seconds: 1_795_132_800)

    static func written(_ members: [(path: String, bytes: [UInt8])]) throws -> [UInt8] {
        let memory = Memory()
        let writer = TarWriter(to: memory, at: time)
        for member in members {
            try writer.begin(member.path, size: member.bytes.count)
            member.bytes.withUnsafeBytes { bytes in try! writer.write(bytes) }
        }
        try writer.finish()
        return memory.bytes
    }

    static func read(_ bytes: [UInt8], part: Int = .max) throws -> [(path: String, bytes: [UInt8])] {
        let reader = TarReader(Memory(bytes, part: part))
        var members: [(path: String, bytes: [UInt8])] = []
        while let member = try reader.next() {
            var content: [UInt8] = []
            try reader.read { part throws(BackupError) in content += part }
            members.append((member.path, content))
        }
        return members
    }

    /// A header as anybody could write it, with a right checksum.
    static func block(_ path: String, size: Int = 0, type: Character = "0", change: (inout [UInt8]) -> Void = { _ in }) -> [UInt8] {
        var block = TarHeader(path: path, size: size, kind: .file, modified: 0).block!
        block[156] = type.asciiValue!
        change(&block)
        block.replaceSubrange(148..<156, with: "        ".utf8)
        let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
        block.replaceSubrange(148..<156, with: (String(repeating: "0", count: 6 - sum.count) + sum + "\0 ").utf8)
        return block
    }

    static let end = [UInt8](repeating: 0, count: 1024)

    @Test("What was written is read, however it is cut; long paths too", arguments: [Int.max, 512, 700, 1])
    func roundTrip(_ part: Int) throws {
        let long = "certificates/" + String(repeating: "long-", count: 60) + ".pem"
        let split = "certificates/" + String(repeating: "a", count: 80) + "/" + String(repeating: "b", count: 90)
        let members: [(path: String, bytes: [UInt8])] = [
            ("manifest.json", Array("{}".utf8)), ("empty", []), ("block", [UInt8](repeating: 7, count: 512)), (long, [1, 2, 3]),
            (split, [4]),
        ]
        let read = try Self.read(try Self.written(members), part: part)
        #expect(read.map(\.path) == members.map(\.path) && read.map(\.bytes) == members.map(\.bytes))
    }

    @Test("A size beyond eight gigabytes stands in an extended header")
    func large() throws {
        let memory = Memory()
        let writer = TarWriter(to: memory, at: Self.time)
        try writer.begin("gatehouse.db", size: 10 << 30)
        #expect(try TarReader(Memory(memory.bytes)).next() == TarReader.Member(path: "gatehouse.db", size: 10 << 30))
    }

    struct Hostile: Sendable, CustomStringConvertible {
        let description: String
        let bytes: [UInt8]
    }

    static let hostile =
        ["/etc/passwd", "../up", "a/../../b", "a//b", "a/./b", "a\\b", "a\u{1B}[2J", ""].map {
            Hostile(
                description: "the path \($0)",
                bytes: block("x") { [path = $0] in
                    $0.replaceSubrange(0..<100, with: Array(path.utf8) + [UInt8](repeating: 0, count: 100 - path.utf8.count))
                } + end)
        } + "123467gLKSV".map { Hostile(description: "type \($0)", bytes: block("x", type: $0) + end) } + [
            Hostile(description: "nothing", bytes: []),
            Hostile(description: "one empty block", bytes: [UInt8](repeating: 0, count: 512)),
            Hostile(description: "no end", bytes: block("x")),
            Hostile(description: "a file cut short", bytes: block("x", size: 600) + [UInt8](repeating: 1, count: 512)),
            Hostile(description: "padding that is not empty", bytes: block("x", size: 1) + [UInt8](repeating: 1, count: 512) + end),
            Hostile(description: "something after the end", bytes: block("x") + end + block("y")),
            Hostile(
                description: "a wrong checksum",
                bytes: {
                    var b = block("x")
                    b[0] = 0x79
                    return b + end
                }()),
            Hostile(description: "a size that is no number", bytes: block("x") { $0[130] = 0x39 } + end),
            Hostile(description: "a size in base 256", bytes: block("x") { $0[124] = 0x80 } + end),
            Hostile(description: "an extended header of a gigabyte", bytes: block("x", size: 1 << 30, type: "x") + end),
            Hostile(description: "an extended header for nothing", bytes: block("x", size: 0, type: "x") + end),
            Hostile(
                description: "an extended path that leads elsewhere",
                bytes: block("x", size: 16, type: "x") + Array("16 path=../../a\n".utf8) + [UInt8](repeating: 0, count: 496) + block("y")
                    + end),
            Hostile(
                description: "a record longer than its header",
                bytes: block("x", size: 9, type: "x") + Array("99 path=a".utf8) + [UInt8](repeating: 0, count: 503) + block("y") + end),
            Hostile(description: "a name that is no text", bytes: block("x") { $0[0] = 0xFF } + end),
        ]

    @Test("Everything that no backup has is refused", arguments: hostile)
    func refused(_ each: Hostile) {
        AgeTests.expect(.damaged) { try Self.read(each.bytes) }
    }

    @Test("What tar makes of a folder is read: folders are passed over, ./ is taken away")
    func packedAgain() throws {
        let folder = Self.block("./secrets/", type: "5")
        let read = try Self.read(
            Self.block("./", type: "5") + folder + Self.block("./secrets/secrets.toml", size: 2) + [1, 2]
                + [UInt8](repeating: 0, count: 510) + Self.end)
        #expect(read.map(\.path) == ["secrets/secrets.toml"] && read[0].bytes == [1, 2])
    }
}
