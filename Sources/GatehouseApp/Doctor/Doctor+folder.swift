import GateCore
import GateSQL
import GateSQLite
import Glibc

extension Doctor {
    func examineFolder(_ server: ServerState) async -> DataFolderCheck {
        let path = configuration.dataDirectory
        let folder = FileFacts.of(path)
        let late = DataFolderCheck.Database.failing("it did not answer within \(settings.timeLimit.text)")
        let database: DataFolderCheck.Database
        switch (server, folder) {
        case _ where configuration.databasePath == nil: database = .elsewhere
        case (.running, _), (.unreadableKey, _): database = .inUse
        case (.stopped, .failure): database = .missing
        case (.stopped, .success):
            database = await limited(to: settings.timeLimit, late: late) { await examineDatabase() }
        }
        return DataFolderCheck(
            path: path, folder: folder, user: geteuid(), room: FreeRoom.at(path), database: database, exposed: ExposedFiles.in(path),
            clusterKey: clusterKey)
    }

    private var clusterKey: DataFolderCheck.ClusterKeyState? {
        guard case .postgres = configuration.database.url else { return nil }
        if configuration.database.clusterKey != nil { return .given }
        let file = ClusterKeyFile(folder: configuration.dataDirectory)
        do throws(SecretsError) {
            return try file.read() == nil ? .missing(file.path) : .file(file.path)
        } catch {
            return .unusable(error)
        }
    }

    /// Under the lock, as commands do: a second process never writes.
    private func examineDatabase() async -> DataFolderCheck.Database {
        if let path = configuration.databasePath { guard case .success = FileFacts.of(path) else { return .missing } }
        do throws(StorageError) {
            let lock = try DataDirectoryLock(folder: configuration.dataDirectory)
            defer { lock.release() }
            return try await health()
        } catch {
            if case .busy = error { return .inUse }
            return .failing(error.description)
        }
    }

    private func health() async throws(StorageError) -> DataFolderCheck.Database {
        let database: any ServedDatabase
        do {
            database = try await Backends.open(configuration, time: time, log: log).database
        } catch let error as StorageError {
            throw error
        } catch {
            return .failing("\(error)")
        }
        let health = await database.health()
        await database.close()
        switch health {
        case .ok: return .answers
        case .failing(let error): throw error
        }
    }
}
