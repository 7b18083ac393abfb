import COpenSSL

/// Why a TLS connection did not come about, or broke. None of it holds key material or what was sent.
package enum TLSError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The peer speaks plain HTTP.
    case plainHTTP
    /// What came is no TLS.
    case notTLS
    case noSharedVersion
    /// No cipher suite, group or signature algorithm that both sides take.
    case noSharedCipher
    /// ALPN: the client speaks nothing that is spoken here (RFC 7301 §3.2).
    case noSharedProtocol
    /// The peer refused, and said why by an alert (RFC 8446 §6).
    case refused(alert: UInt8)
    /// The certificate of the server `host` is not to be trusted.
    case untrusted(host: String, CertificateFault)
    /// The stream ended without a `close_notify`: somebody may have cut it (RFC 8446 §6.1).
    case truncated
    /// The peer sends records that bring nothing, or a handshake without an end.
    case flooded
    case timedOut
    /// The connection is closed, or has failed before.
    case closed
    /// Against the protocol, damaged or replayed, in OpenSSL's words.
    case malformed(reason: String)

    package var description: String {
        switch self {
        case .plainHTTP: "the peer speaks plain HTTP, not TLS"
        case .notTLS: "what the peer sends is not TLS"
        case .noSharedVersion: "the peer and this side share no version of TLS (1.2 and 1.3 are spoken here)"
        case .noSharedCipher: "the peer and this side share no cipher suite, group or signature algorithm"
        case .noSharedProtocol: "the peer offers no application protocol (ALPN) that is spoken here"
        case .refused(let alert): "the peer refused the TLS connection: \(Self.meaning(ofAlert: alert))"
        case .untrusted(let host, let fault): "the certificate of \(host) is not trusted: \(fault)"
        case .truncated: "the connection was cut off without a TLS close_notify"
        case .flooded: "the peer sends TLS records that bring nothing"
        case .timedOut: "the TLS handshake took too long"
        case .closed: "the TLS connection is closed"
        case .malformed(let reason): "TLS failed: \(reason)"
        }
    }

    /// RFC 8446 §6, RFC 7301 §3.2.
    private static func meaning(ofAlert alert: UInt8) -> String {
        switch alert {
        case 40: "it takes none of what is offered (handshake_failure)"
        case 42: "it finds the certificate faulty (bad_certificate)"
        case 45: "it takes the certificate for expired (certificate_expired)"
        case 46: "it does not accept the certificate (certificate_unknown)"
        case 48: "it does not know the authority of the certificate (unknown_ca)"
        case 70: "it speaks none of these versions of TLS (protocol_version)"
        case 71: "it demands stronger algorithms (insufficient_security)"
        case 80: "an internal error on its side (internal_error)"
        case 112: "it does not know the name that was asked for (unrecognized_name)"
        case 116: "it demands a certificate of the client (certificate_required)"
        case 120: "it speaks none of the application protocols offered (no_application_protocol)"
        default: String(cString: SSL_alert_desc_string_long(Int32(alert))) + " (alert \(alert))"
        }
    }
}

/// What is wrong with the certificate of a server, for people.
package enum CertificateFault: Hashable, Sendable, CustomStringConvertible {
    case expired
    case notYetValid
    case selfSigned
    case unknownIssuer
    /// With the names that it is for.
    case wrongName([String])
    /// In OpenSSL's words.
    case other(String)

    package var description: String {
        switch self {
        case .expired: "it has expired"
        case .notYetValid: "it is not valid yet (is this machine's clock right?)"
        case .selfSigned: "it is self-signed"
        case .unknownIssuer:
            "its issuer is unknown here (a private authority, or an intermediate certificate that the server does not send)"
        case .wrongName(let names): names.isEmpty ? "it names no host" : "it is for \(names.joined(separator: ", "))"
        case .other(let reason): reason
        }
    }
}

extension TLSError {
    /// Takes the whole error queue of this thread after a call that failed. Fails closed: what is unknown is ``malformed(reason:)``.
    static func drained() -> TLSError {
        var first: UInt = 0
        while true {
            let code = ERR_get_error()
            guard code != 0 else { break }
            if first == 0 || ERR_GET_LIB(first) != ERR_LIB_SSL { first = code }
        }
        guard ERR_GET_LIB(first) == ERR_LIB_SSL else { return .malformed(reason: reason(first)) }
        switch ERR_GET_REASON(first) {
        case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST: return .plainHTTP
        case SSL_R_WRONG_VERSION_NUMBER: return .notTLS
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_VERSION_TOO_LOW, SSL_R_INAPPROPRIATE_FALLBACK:
            return .noSharedVersion
        case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS,
            SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SHARED_GROUPS:
            return .noSharedCipher
        case SSL_R_NO_APPLICATION_PROTOCOL: return .noSharedProtocol
        case SSL_R_TOO_MANY_WARN_ALERTS, SSL_R_RECORD_TOO_SMALL: return .flooded
        case let reason where reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256:
            return .refused(alert: UInt8(reason - SSL_AD_REASON_OFFSET))
        default: return .malformed(reason: reason(first))
        }
    }

    private static func reason(_ code: UInt) -> String {
        guard let text = ERR_reason_error_string(code) else { return "error \(code)" }
        return String(cString: text)
    }
}

extension CertificateFault {
    /// - Parameter code: what SSL_get_verify_result(3) says; not `X509_V_OK`.
    init(verifyResult code: Int, names: @autoclosure () -> [String]) {
        switch Int32(truncatingIfNeeded: code) {
        case X509_V_ERR_CERT_HAS_EXPIRED: self = .expired
        case X509_V_ERR_CERT_NOT_YET_VALID: self = .notYetValid
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: self = .selfSigned
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            self = .unknownIssuer
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: self = .wrongName(names())
        default: self = .other(String(cString: X509_verify_cert_error_string(code)))
        }
    }
}
