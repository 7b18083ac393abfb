import GateCore
import Glibc

/// The last step of a restore: putting new files in the place of old ones, all or none of them.
///
/// The new files lie ready on the same disk. Once the journal is on the disk the restore is decided, and is carried through by whoever
/// next works on the data folder, however often it is interrupted; before that, nothing has happened. What was there is moved aside, never
/// deleted.
package struct RestoreJournal: Hashable, Sendable {
    package struct Move: Hashable, Sendable {
        /// `nil`: what is at `target` only goes.
        package var source: String?
        package var target: String
        /// Where what is at `target` goes.
        package var aside: String

        package init(source: String?, target: String, aside: String) {
            self.source = source
            self.target = target
            self.aside = aside
        }
    }

    package var moves: [Move]
    /// Folders in which the new files lay, deleted at the end.
    package var staging: [String]

    package init(moves: [Move], staging: [String]) {
        self.moves = moves
        self.staging = staging
    }

    private static func path(in folder: String) -> String { "\(folder)/restore-journal.json" }

    /// Decides the restore, and carries it through.
    ///
    /// - Parameter folder: the data folder, which the caller has locked.
    package func commit(in folder: String) throws(BackupError) {
        try decide(in: folder)
        try Self.resume(in: folder)
    }

    /// From here on there is no way back.
    func decide(in folder: String) throws(BackupError) {
        do throws(AtomicFile.Failure) {
            try AtomicFile.write(json.bytes, to: Self.path(in: folder))
        } catch {
            throw BackupError(.failed, error.description)
        }
    }

    /// Carries through what was decided and then interrupted, if there is such a thing. To be called whenever the data folder has been
    /// locked, before anything in it is opened.
    ///
    /// - Returns: whether there was.
    @discardableResult
    package static func resume(in folder: String) throws(BackupError) -> Bool {
        let path = path(in: folder)
        guard Folders.exists(path) else { return false }
        guard let json = try? JSON(parsing: try FileSource(path).all(limit: 1 << 20)), let journal = RestoreJournal(json: json) else {
            throw BackupError(
                .damaged, "\(path) cannot be read: a restore was interrupted; see which files lie in \(folder), and delete it")
        }
        try journal.carryThrough()
        try remove(path, in: folder)
        return true
    }

    private func carryThrough() throws(BackupError) {
        for move in moves {
            // Where the new file is gone from its place, this move was made before the interruption.
            if let source = move.source, !Folders.exists(source) { continue }
            if Folders.exists(move.target), !Folders.exists(move.aside) {
                try Folders.make(Folders.parent(of: move.aside))
                guard rename(move.target, move.aside) == 0 else { throw .system("move \(move.target) away") }
                try Folders.flush(Folders.parent(of: move.aside))
            }
            if let source = move.source {
                guard rename(source, move.target) == 0 else { throw .system("put \(move.target) in its place") }
            }
            try Folders.flush(Folders.parent(of: move.target))
        }
        for folder in staging { FolderContents.removeAll(folder) }
    }

    private static func remove(_ path: String, in folder: String) throws(BackupError) {
        guard unlink(path) == 0 else { throw .system("delete \(path)") }
        try Folders.flush(folder)
    }
}

extension RestoreJournal {
    private var json: JSON {
        [
            "moves": .array(
                moves.map { move in
                    ["source": move.source.map { .string($0) } ?? .null, "target": .string(move.target), "aside": .string(move.aside)]
                }), "staging": .array(staging.map { .string($0) }),
        ]
    }

    private init?(json: JSON) {
        guard let moves = json["moves"]?.array, let staging = json["staging"]?.array else { return nil }
        self.moves = []
        for move in moves {
            guard let target = move["target"]?.string, let aside = move["aside"]?.string else { return nil }
            self.moves.append(Move(source: move["source"]?.string, target: target, aside: aside))
        }
        self.staging = staging.compactMap(\.string)
    }
}

extension FileSource {
    /// The whole content, of a small file.
    package func all(limit: Int) throws(BackupError) -> [UInt8] {
        let buffer = IOBuffer()
        var bytes: [UInt8] = []
        while case let count = try read(into: buffer.bytes), count > 0 {
            bytes += buffer.bytes[..<count]
            guard bytes.count <= limit else { throw BackupError(.invalid, "a file is larger than \(limit) bytes") }
        }
        return bytes
    }
}
