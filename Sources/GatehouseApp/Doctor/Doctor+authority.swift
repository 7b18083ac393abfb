import GateCore
import GateCrypto
import GateHTTP
import GateNet
package import Logging
import NIOCore

extension Doctor {
    /// Examines this machine, and asks the authority as the server would.
    ///
    /// - Parameter change: of where to look.
    package static func examine(
        _ configuration: Configuration, log: Logger, _ change: (inout Settings) -> Void = { _ in }
    ) async -> DoctorReport {
        var settings = Settings.ofThisMachine()
        change(&settings)
        let time = SystemTime()
        do throws(OutgoingError) {
            let client = HTTPClient(egress: .any, tls: try trust(configuration.acme, time))
            let report = await Doctor(
                configuration, settings: settings, http: client, time: time, entropy: SystemEntropy(), log: log
            ).examine()
            await client.shutDown()
            return report
        } catch {
            return await Doctor(
                configuration, settings: settings, http: NoTrust(error: error), time: time, entropy: SystemEntropy(), log: log
            ).examine()
        }
    }

    private static func trust(_ acme: Configuration.ACME, _ time: any TimeSource) throws(OutgoingError) -> TLSClientConfiguration {
        var authorities: [UInt8]?
        if let path = acme.caFile {
            do throws(ConfigurationFault) { authorities = Array(try TextFile(path: path).text.utf8) } catch {
                throw OutgoingError(.untrustedCertificate, "acme.ca_file: \(path) \(error.problem)")
            }
        }
        do throws(CryptoError) {
            return try TLSClientConfiguration(authorities: authorities, time: time)
        } catch {
            throw OutgoingError(.untrustedCertificate, "\(acme.caFile ?? "the system's authorities") cannot be used: \(error)")
        }
    }

    /// Without anybody to trust, nobody is asked.
    private struct NoTrust: OutgoingHTTP {
        let error: OutgoingError
        func send(_ request: OutgoingRequest) async throws(OutgoingError) -> OutgoingResponse { throw error }
    }
}
