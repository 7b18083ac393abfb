import GateCore

/// The formats within a backup, each by itself: what the fuzzer reads.
package enum ArchiveProbe {
    /// The paths of a tar archive, whose contents are passed over.
    package static func members(_ source: any ByteSource) throws(BackupError) -> [String] {
        let reader = TarReader(source)
        var paths: [String] = []
        while let member = try reader.next() { paths.append(member.path) }
        return paths
    }

    /// What a file of age holds, for a key of nobody's.
    package static func decrypt(_ source: any ByteSource) throws(BackupError) -> [UInt8] {
        guard let identity = try? AgeIdentity(secret: Secret([UInt8](repeating: 9, count: 32))) else { return [] }
        let sink = HashingSink()
        try AgeSource(source, keys: AgeKeys(identities: [identity])).drain(to: sink)
        try sink.finish()
        return sink.hash
    }
}
