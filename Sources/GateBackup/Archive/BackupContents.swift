package import GateCore
import GateCrypto

/// What goes into a backup.
package struct BackupContents: Sendable {
    package enum Content: Sendable {
        /// Of files that may change meanwhile: they are read once.
        case bytes([UInt8])
        /// A file that stays as it is, read in parts.
        case file(path: String)
    }

    package var version: String
    package var createdAt: Timestamp
    package var reason: BackupManifest.Reason
    package var schemaVersion: Int
    /// In the order in which they are written.
    package var members: [(path: String, content: Content)]

    package init(
        version: String, createdAt: Timestamp, reason: BackupManifest.Reason, schemaVersion: Int,
        members: [(path: String, content: Content)]
    ) {
        self.version = version
        self.createdAt = createdAt
        self.reason = reason
        self.schemaVersion = schemaVersion
        self.members = members
    }
}

/// Writes backups, and reads them.
package enum BackupArchive {
    /// Writes everything through `file`, which is on the disk then, without its name.
    ///
    /// - Parameters:
    ///   - lock: whom it is encrypted for; `nil` for anybody.
    ///   - isCancelled: asked between parts.
    /// - Returns: the manifest, and the keys to read it again with.
    package static func write(
        _ contents: BackupContents, lock: AgeLock?, to file: PartialFile, entropy: some Entropy, isCancelled: () -> Bool
    ) throws(BackupError) -> (manifest: BackupManifest, keys: AgeKeys) {
        var manifest = BackupManifest(
            version: contents.version, createdAt: contents.createdAt, reason: contents.reason, schemaVersion: contents.schemaVersion,
            members: [])
        for (path, content) in contents.members {
            let hashing = HashingSink()
            try copy(content, isCancelled) { bytes throws(BackupError) in try hashing.write(bytes) }
            try hashing.finish()
            manifest.members.append(.init(path: path, size: hashing.count, hash: Hex.encode(hashing.hash)))
        }
        let encrypting = try lock.map { lock throws(BackupError) in try AgeSink(lock, to: file, entropy: entropy) }
        let writer = TarWriter(to: try GzipSink(to: encrypting ?? file), at: contents.createdAt)
        let description = manifest.json.bytes
        try writer.begin(BackupManifest.path, size: description.count)
        try copy(.bytes(description), isCancelled) { bytes throws(BackupError) in try writer.write(bytes) }
        for (member, (path, content)) in zip(manifest.members, contents.members) {
            try writer.begin(path, size: member.size)
            var left = member.size
            try copy(content, isCancelled) { bytes throws(BackupError) in
                left -= bytes.count
                guard left >= 0 else { throw BackupError(.failed, "\(path) has grown while it was written") }
                try writer.write(bytes)
            }
            guard left == 0 else { throw BackupError(.failed, "\(path) has shrunk while it was written") }
        }
        try writer.finish()
        return (manifest, encrypting.map { AgeKeys(fileKey: $0.fileKey) } ?? AgeKeys())
    }

    private static func copy(
        _ content: BackupContents.Content, _ isCancelled: () -> Bool, _ take: (UnsafeRawBufferPointer) throws(BackupError) -> Void
    ) throws(BackupError) {
        switch content {
        case .bytes(let bytes):
            let result: Result<Void, BackupError> = bytes.withUnsafeBytes { bytes in
                do throws(BackupError) { return .success(try take(bytes)) } catch { return .failure(error) }
            }
            try result.get()
        case .file(let path):
            let source = try FileSource(path)
            let buffer = IOBuffer()
            while true {
                guard !isCancelled() else { throw BackupError(.cancelled, "the backup was broken off") }
                let count = try source.read(into: buffer.bytes)
                if count == 0 { return }
                try take(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]))
            }
        }
    }
}
