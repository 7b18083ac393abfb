import GateCore

extension BackupArchive {
    /// What a file begins with tells what it is.
    private static let gzipMagic: [UInt8] = [0x1F, 0x8B]
    private static let armorMagic = "-----BEGIN AGE"

    /// Reads a whole backup, and holds every member to the manifest: there, complete, and with its hash.
    ///
    /// - Parameters:
    ///   - source: the file as it is, encrypted or not.
    ///   - begin: called with the manifest, before anything else is read.
    ///   - target: where a member goes; `nil`: it is only looked at. What it was given is worth nothing until this has returned.
    /// - Throws: `.foreign`, `.newer`, `.wrongKey`, `.damaged`, or what a target throws.
    @discardableResult
    package static func read(
        _ source: any ByteSource, keys: AgeKeys, begin: (BackupManifest) throws(BackupError) -> Void = { _ throws(BackupError) in },
        target: (BackupManifest.Member) throws(BackupError) -> (any ByteSink)? = { _ throws(BackupError) in nil }
    ) throws(BackupError) -> BackupManifest {
        let plain = try decrypted(source, keys)
        let reader = TarReader(try GzipSource(plain))
        let manifest = try manifest(reader)
        try begin(manifest)
        var expected = Dictionary(uniqueKeysWithValues: manifest.members.map { ($0.path, $0) })
        while let entry = try reader.next() {
            guard let member = expected.removeValue(forKey: entry.path), isKnown(entry.path), entry.size == member.size else {
                throw BackupError(.damaged, "the backup holds \(entry.path), which does not fit its manifest")
            }
            let hashing = HashingSink(to: try target(member))
            try reader.read { bytes throws(BackupError) in try hashing.write(bytes) }
            try hashing.finish()
            guard Hex.encode(hashing.hash) == member.hash else { throw BackupError(.damaged, "\(member.path) in the backup was changed") }
        }
        if let missing = expected.keys.min() { throw BackupError(.damaged, "the backup lacks \(missing)") }
        return manifest
    }

    private static func decrypted(_ source: any ByteSource, _ keys: AgeKeys) throws(BackupError) -> any ByteSource {
        let buffer = IOBuffer(size: AgeHeader.magic.count)
        let start = Array(buffer.bytes[..<(try source.fill(buffer.bytes))])
        let whole = PrefixedSource(start, then: source)
        if start == AgeHeader.magic {
            let opened = try AgeSource(whole, keys: keys)
            return opened
        }
        if start.starts(with: gzipMagic) { return whole }
        if start.starts(with: armorMagic.utf8) {
            throw BackupError(.foreign, "the file is encrypted in age's text form: decrypt it with `age --decrypt` first")
        }
        throw BackupError(.foreign, start.isEmpty ? "the file is empty" : "the file is no backup of gatehouse: neither gzip nor age")
    }

    private static func manifest(_ reader: TarReader) throws(BackupError) -> BackupManifest {
        guard let first = try reader.next(), first.path == BackupManifest.path, first.size <= BackupManifest.maximumSize else {
            throw BackupError(.foreign, "the archive is no backup of gatehouse: it does not begin with manifest.json")
        }
        var bytes: [UInt8] = []
        try reader.read { part throws(BackupError) in bytes += part }
        return try BackupManifest(parsing: bytes)
    }

    private static func isKnown(_ path: String) -> Bool {
        path == BackupManifest.database || path.hasPrefix(BackupManifest.secrets) || path.hasPrefix(BackupManifest.certificates)
    }
}
