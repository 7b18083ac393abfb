import COpenSSL

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where libssl takes ciphertext from and puts it: memory that is lent for the time of one call, so that each byte is copied once.
///
/// OpenSSL's own memory BIO would copy everything twice, and grow without a bound.
struct TLSTransport {
    /// What has come and has not been taken.
    var input = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Where ciphertext goes first.
    var output = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    var outputCount = 0
    /// What had no room in ``output``: handshakes and alerts.
    private(set) var spill: [UInt8] = []
    /// Records that have begun to come since somebody last set this to zero: a flood of those that bring nothing is seen by it.
    var recordCount = 0
    var recordLimit = Int.max

    private var headerCount = 0
    private var bodyRest = 0

    var isFlooded: Bool { recordCount > recordLimit }

    /// How many bytes were given; zero where there are none.
    mutating func give(to target: UnsafeMutableRawPointer, _ wanted: Int) -> Int {
        let count = min(wanted, input.count)
        guard count > 0, let base = input.baseAddress else { return 0 }
        target.copyMemory(from: base, byteCount: count)
        countRecords(UnsafeRawBufferPointer(rebasing: input[..<count]))
        input = UnsafeRawBufferPointer(rebasing: input[count...])
        return count
    }

    /// Follows the records by their lengths (RFC 8446 §5.1). libssl asks for the header of a record first, then for its body.
    private mutating func countRecords(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index < bytes.count {
            if bodyRest > 0 {
                let count = min(bodyRest, bytes.count - index)
                bodyRest -= count
                index += count
                if bodyRest == 0 { headerCount = 0 }
                continue
            }
            if headerCount == 0 { recordCount += 1 }
            if headerCount == 3 { lengthHigh = bytes[index] }
            headerCount += 1
            if headerCount == 5 {
                bodyRest = Int(lengthHigh) << 8 | Int(bytes[index])
                if bodyRest == 0 { headerCount = 0 }
            }
            index += 1
        }
    }

    private var lengthHigh: UInt8 = 0

    mutating func take(_ bytes: UnsafeRawBufferPointer) {
        if spill.isEmpty, output.count - outputCount >= bytes.count, let base = output.baseAddress {
            (base + outputCount).copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
            outputCount += bytes.count
        } else {
            spill.append(contentsOf: bytes)
        }
    }

    mutating func takeSpill() -> [UInt8] {
        defer { spill = [] }
        return spill
    }
}

extension TLSTransport {
    /// The BIO through which libssl uses a transport, see BIO_meth_new(3). The transport must outlive it.
    static func bio(_ transport: UnsafeMutablePointer<TLSTransport>) throws(CryptoError) -> OpaquePointer {
        let bio = try check(BIO_new(method), "make a TLS transport")
        BIO_set_data(bio, transport)
        BIO_set_init(bio, 1)
        return bio
    }

    private static func of(_ bio: OpaquePointer?) -> UnsafeMutablePointer<TLSTransport> {
        BIO_get_data(bio).assumingMemoryBound(to: TLSTransport.self)
    }

    // Made once and never changed; that it cannot be made means that there is no memory.
    private nonisolated(unsafe) static let method: OpaquePointer = {
        guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gatehouse") else {
            preconditionFailure("\(CryptoError.drained("make a TLS transport"))")
        }
        BIO_meth_set_read(method) { bio, target, count in
            let transport = TLSTransport.of(bio)
            guard let target, count > 0 else { return 0 }
            guard !transport.pointee.isFlooded else {
                // An error that cannot be tried again: libssl gives up.
                gate_bio_clear_retry(bio)
                return -1
            }
            let given = transport.pointee.give(to: target, Int(count))
            guard given > 0 else {
                gate_bio_set_retry_read(bio)
                return -1
            }
            gate_bio_clear_retry(bio)
            return Int32(given)
        }
        BIO_meth_set_write(method) { bio, source, count in
            guard let source, count > 0 else { return 0 }
            TLSTransport.of(bio).pointee.take(UnsafeRawBufferPointer(start: source, count: Int(count)))
            gate_bio_clear_retry(bio)
            return count
        }
        BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return method
    }()
}
