import COpenSSL

/// Which OpenSSL the process runs with: the system's, which may be newer than the one it was built with.
package enum OpenSSLVersion {
    package static var text: String { String(cString: OpenSSL_version(OPENSSL_VERSION_STRING)) }
}
