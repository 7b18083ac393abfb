package import GateAPI
import GateCore
import GateCrypto
import Logging

/// The certificates of this server, wherever they come from.
package final class ServerCertificates: CertificateOperations {
    private let configuration: Configuration
    private let time: any TimeSource

    init(_ configuration: Configuration, time: any TimeSource) {
        self.configuration = configuration
        self.time = time
    }

    package func certificates() async -> [CertificateReport] {
        switch configuration.tls.mode {
        case .off: []
        case .selfSigned: [selfSignedReport()]
        case .files, .acme: []
        }
    }

    package func renew(_ name: String?, force: Bool) async throws(CertificateOperationError) {
        switch configuration.tls.mode {
        case .off: throw .refused("There is none: tls.mode is off.")
        case .selfSigned: throw .refused("It is self-signed, and made anew by itself.")
        case .files: throw .refused("It comes from files: replace them, and they are read again by themselves.")
        case .acme: throw .unknownName
        }
    }

    private func selfSignedReport() -> CertificateReport {
        let host = configuration.publicURL.host
        guard let file = try? SelfSignedFile(folder: configuration.dataDirectory, names: [host]), let kept = file.read() else {
            return CertificateReport(names: [host], source: .selfSigned, status: .missing, nextAction: "make one at the next start")
        }
        return CertificateReport(of: kept.leaf, source: .selfSigned, at: time.now(), nextAction: "make another before it expires")
    }
}
