import GateCore
import GateCrypto

enum Operations {
    /// Tells the median nanoseconds of each operation.
    static func measure(_ report: (String, Int64) -> Void) throws {
        let block = [UInt8](repeating: 0x61, count: 64)
        let message = [UInt8](repeating: 0x61, count: 200)
        let secret = Secret([UInt8](repeating: 0x62, count: 32))
        report("sha256_64_bytes", time(100_000) { SHA256.hash(block) })
        report("hmac_sha256_200_bytes", time(100_000) { HMACSHA256.authenticate(message, key: secret) })
        let payload = Array(
            #"{"iss":"https://app.example.com","aud":"https://app.example.com","sub":"0192f3a4-7b6c-7def-8123-456789abcdef","sid":"0192f3a4-7b6c-7def-8123-456789abcdef","jti":"AAAAAAAAAAAAAAAAAAAAAA","iat":1700000000,"exp":1700000900}"#
                .utf8)
        for algorithm in SigningAlgorithm.allCases {
            let ring = SigningKeyRing(current: try .generate(algorithm, id: "2026-01", entropy: SystemEntropy()))
            let token = try ring.sign(payload: payload, typ: "at+jwt")
            let count = algorithm == .hs256 ? 30_000 : 3000
            report("\(algorithm.rawValue)_sign", try time(count) { try ring.sign(payload: payload, typ: "at+jwt") })
            report("\(algorithm.rawValue)_verify", try time(count) { try ring.verify(token, typ: "at+jwt") })
            if algorithm == .hs256 { report("jws_parse", time(count) { JWS.parse(token) }) }
        }
    }

    private static func time<Output>(_ count: Int, _ operation: () throws -> Output) rethrows -> Int64 {
        let clock = SystemTime()
        return median(
            try (0..<5).map { _ in
                let begin = clock.monotonic()
                for _ in 0..<count { keep(try operation()) }
                return clock.monotonic().since(begin).wholeNanoseconds / Int64(count)
            })
    }

    /// The optimiser may not drop what is given to this.
    @inline(never) private static func keep<Output>(_ output: Output) {}
}
