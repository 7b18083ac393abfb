import GateBackup
import GateCore

/// A backup comes from wherever its owner kept it. As it is, uncompressed, and within gzip's and age's frames: it is read with all its
/// hashes, or refused; nothing of it is believed before.
func fuzzBackup(_ bytes: [UInt8]) {
    var manifest: BackupManifest?
    var delivered = 0
    let keys = AgeKeys(passphrase: nil)
    do throws(BackupError) {
        let read = try BackupArchive.read(
            FuzzedSource(bytes), keys: keys, begin: { begun throws(BackupError) in manifest = begun },
            target: { member throws(BackupError) in
                require(
                    member.path.split(separator: "/").allSatisfy { $0 != ".." } && !member.path.hasPrefix("/"), "no path leads elsewhere")
                delivered += 1
                return nil
            })
        require(read == manifest && delivered == read.members.count, "a backup that is read is whole")
    } catch {
        require(!error.reason.isEmpty, "a refusal says why")
    }
}

/// The two formats by themselves, without a checksum around them.
func fuzzTar(_ bytes: [UInt8]) {
    let whole = try? ArchiveProbe.members(FuzzedSource(bytes))
    let cut = try? ArchiveProbe.members(FuzzedSource(bytes, part: 7))
    require(whole == cut, "an archive is read the same however it is cut")
    for path in whole ?? [] {
        require(!path.isEmpty && !path.hasPrefix("/") && !path.split(separator: "/").contains(".."), "no path leads elsewhere")
        require(path.utf8.allSatisfy { (0x21...0x7E).contains($0) }, "nothing moves a terminal's cursor")
    }
}

func fuzzAge(_ bytes: [UInt8]) {
    for part in [Int.max, 5] {
        let opened = try? ArchiveProbe.decrypt(FuzzedSource(Array("age-encryption.org/v1\n".utf8) + bytes, part: part))
        require(opened == nil, "nobody without the key makes what opens")
    }
    _ = try? AgeIdentity.read(String(decoding: bytes, as: UTF8.self))
    let text = String(decoding: bytes.prefix(200), as: UTF8.self)
    if let recipient = AgeRecipient(text) { require(recipient.description == text, "a key has one spelling") }
}

/// Bytes in parts.
private final class FuzzedSource: ByteSource {
    private var rest: ArraySlice<UInt8>
    private let part: Int

    init(_ bytes: [UInt8], part: Int = .max) {
        rest = bytes[...]
        self.part = part
    }

    func read(into target: UnsafeMutableRawBufferPointer) -> Int {
        let next = rest.prefix(min(part, target.count))
        target.copyBytes(from: next)
        rest = rest.dropFirst(next.count)
        return next.count
    }
}
