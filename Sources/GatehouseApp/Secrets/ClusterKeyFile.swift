import GateCore
import Glibc

/// `cluster.key` in the data folder: made by the first instance on a database, and copied to each further one.
struct ClusterKeyFile {
    let path: String

    init(folder: String) { path = folder + "/cluster.key" }

    /// `nil`: there is no file.
    func read() throws(SecretsError) -> ClusterKey? {
        guard let text = try PrivateFile(path: path, cure: "copy it again from another instance").text() else { return nil }
        let line = text.split(separator: "\n", omittingEmptySubsequences: true).first.map(String.init) ?? ""
        guard let key = ClusterKey(line) else {
            throw SecretsError(
                path: path, problem: "holds no cluster key", cure: "copy it again from another instance, or restore it from a backup")
        }
        return key
    }

    /// - Throws: also where there is one already.
    func write(_ key: ClusterKey) throws(SecretsError) {
        do throws(AtomicFile.Failure) {
            try AtomicFile.write(key.text.exposed + [UInt8(ascii: "\n")], to: path, mode: 0o600, replacing: false)
        } catch {
            throw SecretsError(path: path, problem: "\(error)", cure: "see that data_dir exists and has room")
        }
    }

    func remove() { unlink(path) }
}

extension Configuration {
    /// The cluster key of this instance: that of the settings, or else the one in the data folder. `nil`: there is none yet.
    func findClusterKey() throws(SecretsError) -> ClusterKey? {
        if let given = database.clusterKey { return given }
        return try ClusterKeyFile(folder: dataDirectory).read()
    }

    /// Where ``findClusterKey()`` has it from, for messages.
    var clusterKeyPlace: String { database.clusterKey == nil ? ClusterKeyFile(folder: dataDirectory).path : "database.cluster_key" }
}
