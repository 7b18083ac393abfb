import GateACME
import GateCore
import GateCrypto
import GateProxy
import Glibc

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
        do throws(ConfigurationFault) { _ = try redis.authorities() } catch { faults.append(error) }
        for site in sites { faults += site.faultsOfFiles }
        if !faults.isEmpty { throw ConfigurationFaults(faults: faults) }
    }
}

extension Configuration.Site {
    fileprivate var faultsOfFiles: [ConfigurationFault] {
        func fault(_ path: String, _ problem: String, _ cure: String) -> ConfigurationFault {
            ConfigurationFault(.file(path, line: 0, column: 0), problem, cure: cure)
        }
        var faults: [ConfigurationFault] = []
        if let root {
            var status = stat()
            if stat(root, &status) != 0 {
                let reason = String(cString: strerror(errno))
                faults.append(fault(root, "root of \(title) cannot be examined (\(reason))", "make the folder, or name another"))
            } else if status.st_mode & S_IFMT != S_IFDIR {
                faults.append(fault(root, "root of \(title) is no folder", "name the folder that holds it"))
            }
        }
        if let path = upstreamRules.authoritiesFile {
            do {
                _ = try PEM.certificates(Array(try TextFile(path: path).text.utf8))
            } catch let error as ConfigurationFault {
                faults.append(error)
            } catch {
                faults.append(fault(path, "is no upstream_ca: \(error)", "name a PEM file with the authority's certificate"))
            }
        }
        return faults
    }
}

extension Configuration.TLS {
    var filePaths: [CertificateFilePaths] { zip(certificates, keys).map { CertificateFilePaths(certificate: $0, key: $1) } }
}

extension Configuration.Redis {
    /// The content of `redis.ca_file`; `nil` where none is named.
    func authorities() throws(ConfigurationFault) -> [UInt8]? {
        guard let caFile else { return nil }
        let pem = Array(try TextFile(path: caFile).text.utf8)
        do throws(CertificateError) { _ = try PEM.certificates(pem) } catch {
            throw ConfigurationFault(
                .file(caFile, line: 0, column: 0), "is no redis.ca_file: \(error)", cure: "name a PEM file with the authority's certificate"
            )
        }
        return pem
    }
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
