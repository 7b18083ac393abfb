package import GateCore

/// Keys from keys: HKDF with SHA-256 (RFC 5869).
package enum HKDFSHA256 {
    /// - Parameter size: in bytes, 8160 at most.
    package static func derive(_ input: Secret, salt: [UInt8], info: String, size: Int = 32) -> Secret {
        derive(input, salt: salt, info: Array(info.utf8), size: size)
    }

    /// - Parameter size: in bytes, 8160 at most.
    package static func derive(_ input: Secret, salt: [UInt8], info: [UInt8], size: Int = 32) -> Secret {
        precondition(size <= 255 * HMACSHA256.size, "HKDF gives 255 blocks at most")
        let key = Secret(HMACSHA256.authenticate(input.exposed, key: Secret(salt)))
        var output: [UInt8] = []
        var block: [UInt8] = []
        var count: UInt8 = 1
        while output.count < size {
            block = HMACSHA256.authenticate(block + info + [count], key: key)
            output += block
            count &+= 1
        }
        return Secret(Array(output.prefix(size)))
    }
}
