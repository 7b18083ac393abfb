import GateACME
import GateCore
import GateCrypto

extension Configuration {
    /// Reads the files that the configuration names as the server would.
    ///
    /// - Throws: everything that is wrong with them.
    package func checkFiles() throws(ConfigurationFaults) {
        var faults: [ConfigurationFault] = []
        if tls.mode == .files {
            for paths in tls.filePaths {
                do throws(StoreFailure) { _ = try CertificateFiles.load(paths) } catch {
                    faults.append(ConfigurationFault(.file(error.path, line: 0, column: 0), error.problem, cure: error.cure))
                }
            }
        }
        if tls.mode == .acme {
            do throws(ConfigurationFault) { _ = try acme.authorities() } catch { faults.append(error) }
        }
        if !faults.isEmpty { throw ConfigurationFaults(faults: faults) }
    }
}

extension Configuration.TLS {
    var filePaths: [CertificateFilePaths] { zip(certificates, keys).map { CertificateFilePaths(certificate: $0, key: $1) } }
}

extension Configuration.ACME {
    /// The content of `acme.ca_file`; `nil` where none is named.
    func authorities() throws(ConfigurationFault) -> [UInt8]? {
        guard let caFile else { return nil }
        let pem = Array(try TextFile(path: caFile).text.utf8)
        do throws(CertificateError) { _ = try PEM.certificates(pem) } catch {
            throw ConfigurationFault(
                .file(caFile, line: 0, column: 0), "is no acme.ca_file: \(error)", cure: "name a PEM file with the authority's root")
        }
        return pem
    }
}
