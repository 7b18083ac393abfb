import GateCore
import GateCrypto
import Glibc

/// `crypto-bench [threads [hashes-per-thread [rounds]]]` prints one JSON object: nanoseconds per operation, and how bcrypt's
/// throughput on the hasher's threads stands to that of as many processes which do nothing but crypt(3).
@main
enum CryptoBench {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.first == "plain-bcrypt" {
            PlainBcrypt.hash(times: Int(arguments.last!)!)
            return
        }
        let numbers = arguments.compactMap { Int($0) }
        let threads = numbers.first ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let hashes = numbers.dropFirst().first ?? 20
        let rounds = numbers.dropFirst(2).first ?? 3

        var writer = JSONWriter()
        writer.beginObject()
        writer.name("nanoseconds")
        writer.beginObject()
        try Operations.measure { writer.member($0, $1) }
        writer.endObject()
        writer.member("bcrypt", try await BcryptThroughput.measure(threads: threads, hashes: hashes, rounds: rounds))
        writer.endObject()
        print(String(decoding: writer.bytes, as: UTF8.self))
    }
}

func median<Value: Comparable>(_ values: [Value]) -> Value { values.sorted()[values.count / 2] }
