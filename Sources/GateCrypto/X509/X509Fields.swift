import COpenSSL
import GateCore

/// Reads the parts of a certificate out of OpenSSL's structures.
enum X509Fields {
    /// Names with a NUL, a byte outside ASCII or another impossible form are dropped: nobody can be meant by them.
    static func alternativeNames(_ x509: OpaquePointer) throws(CryptoError) -> ([String], [IPAddress]) {
        // -1 in `critical` says that there is none, -2 that there are several.
        var critical: Int32 = 0
        guard let raw = X509_get_ext_d2i(x509, NID_subject_alt_name, &critical, nil) else {
            guard critical == -1 else { throw .drained("read the subject alternative name") }
            return ([], [])
        }
        let names = OpaquePointer(raw)
        defer { GENERAL_NAMES_free(names) }
        var dnsNames: [String] = []
        var addresses: [IPAddress] = []
        for index in 0..<OPENSSL_sk_num(names) {
            guard let name = OPENSSL_sk_value(names, index)?.assumingMemoryBound(to: GENERAL_NAME.self) else { continue }
            var type: Int32 = 0
            guard let value = GENERAL_NAME_get0_value(name, &type) else { continue }
            // The order of the file, each once: certificates may say a name twice.
            switch type {
            case GEN_DNS:
                guard
                    let name = CertificateName.normalised(
                        String(decoding: octets(value.assumingMemoryBound(to: ASN1_STRING.self)), as: UTF8.self))
                else { continue }
                if !dnsNames.contains(name) { dnsNames.append(name) }
            case GEN_IPADD:
                guard let address = CertificateName.address(octets: octets(value.assumingMemoryBound(to: ASN1_STRING.self))) else {
                    continue
                }
                if !addresses.contains(address) { addresses.append(address) }
            default: continue
            }
        }
        return (dnsNames, addresses)
    }

    /// A year before the first or after 9999 does not occur in the encoding; years from 0 to 9999 are all taken.
    static func timestamp(_ time: UnsafePointer<ASN1_TIME>?, _ field: String) throws(CryptoError) -> Timestamp {
        let epoch = try check(ASN1_TIME_set(nil, 0), "read \(field)")
        defer { ASN1_TIME_free(epoch) }
        var days: Int32 = 0
        var seconds: Int32 = 0
        try check(ASN1_TIME_diff(&days, &seconds, epoch, try check(time, "read \(field)")), "read \(field)")
        return Timestamp(seconds: Int64(days) * 86_400 + Int64(seconds))
    }

    /// As UTF-8; `nil` where there is no such field. What is no text in its own encoding counts as none.
    static func text(_ name: OpaquePointer?, _ nid: Int32) -> String? {
        let index = X509_NAME_get_index_by_NID(name, nid, -1)
        guard index >= 0, let data = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)) else { return nil }
        var converted: UnsafeMutablePointer<UInt8>?
        let count = ASN1_STRING_to_UTF8(&converted, data)
        guard count >= 0, let converted else {
            ERR_clear_error()
            return nil
        }
        defer { CRYPTO_free(converted, #file, #line) }
        return String(decoding: UnsafeBufferPointer(start: converted, count: Int(count)), as: UTF8.self)
    }

    static func octets(_ string: UnsafePointer<ASN1_STRING>) -> [UInt8] {
        Array(UnsafeBufferPointer(start: ASN1_STRING_get0_data(string), count: Int(ASN1_STRING_length(string))))
    }

    /// The content octets of an INTEGER, without tag and length.
    static func content(of integer: UnsafePointer<ASN1_INTEGER>?) throws(CryptoError) -> [UInt8] {
        let size = i2d_ASN1_INTEGER(integer, nil)
        guard size > 2 else { throw .drained("read the serial number") }
        let der = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            var place = buffer.baseAddress
            count = Int(i2d_ASN1_INTEGER(integer, &place))
        }
        // X.690 §8.1.3: below 128 the length is one byte, otherwise its low bits say how many bytes follow.
        let header = der[1] < 0x80 ? 2 : 2 + Int(der[1] & 0x7F)
        return Array(der[header...])
    }
}
