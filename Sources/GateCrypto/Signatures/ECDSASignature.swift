import COpenSSL

/// The two spellings of an ECDSA signature on P-256: DER (RFC 3279 §2.2.3), which OpenSSL reads and writes, and the
/// concatenation of `r` and `s`, 32 bytes each, which a JWS carries (RFC 7518 §3.4).
enum ECDSASignature {
    /// In bytes, of the longest DER form; Ed25519's 64 fit as well.
    static let maximumSize = 72

    static func raw(fromDER der: [UInt8]) throws(CryptoError) -> [UInt8] {
        let parsed = der.withUnsafeBufferPointer { buffer in
            var place = buffer.baseAddress
            return d2i_ECDSA_SIG(nil, &place, buffer.count)
        }
        let signature = try check(parsed, "read an ECDSA signature")
        defer { ECDSA_SIG_free(signature) }
        var raw = [UInt8](repeating: 0, count: 64)
        let fits = raw.withUnsafeMutableBufferPointer { buffer in
            BN_bn2binpad(ECDSA_SIG_get0_r(signature), buffer.baseAddress, 32) == 32
                && BN_bn2binpad(ECDSA_SIG_get0_s(signature), buffer.baseAddress! + 32, 32) == 32
        }
        guard fits else { throw .drained("write an ECDSA signature") }
        return raw
    }

    /// `nil` unless `raw` has 64 bytes, or for want of memory. Whether the numbers are in range is the verifier's business.
    static func der(fromRaw raw: [UInt8]) -> [UInt8]? {
        guard raw.count == 64, let signature = ECDSA_SIG_new() else { return nil }
        defer { ECDSA_SIG_free(signature) }
        let taken = raw.withUnsafeBufferPointer { buffer -> Bool in
            let r = BN_bin2bn(buffer.baseAddress, 32, nil)
            let s = BN_bin2bn(buffer.baseAddress! + 32, 32, nil)
            // On success the signature owns both numbers.
            if r != nil, s != nil, ECDSA_SIG_set0(signature, r, s) == 1 { return true }
            BN_free(r)
            BN_free(s)
            return false
        }
        guard taken else { return nil }
        var der = [UInt8](repeating: 0, count: maximumSize)
        let count = der.withUnsafeMutableBufferPointer { buffer in
            var place = buffer.baseAddress
            return i2d_ECDSA_SIG(signature, &place)
        }
        guard count > 0 else { return nil }
        der.removeSubrange(Int(count)...)
        return der
    }
}
