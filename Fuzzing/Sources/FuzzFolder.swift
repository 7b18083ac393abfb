import GateCore
import GateHTTP
import NIOHTTP1

@testable import GateProxy

/// The field `Range`: what is read of it lies within the content, whatever its length.
func fuzzRanges(_ bytes: [UInt8]) {
    guard let ranges = ByteRanges(String(decoding: bytes, as: UTF8.self)) else { return }
    require(!ranges.specs.isEmpty && ranges.specs.count <= ByteRanges.limit, "ranges are some, and not too many")
    for length in [0, 1, 10, 1000, Int.max] {
        let resolved = ranges.resolved(in: length)
        require(resolved.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= length && !$0.isEmpty }, "a range lies within the content")
    }
    require(ranges.resolved(in: 0).isEmpty, "nothing has no parts")
}

/// A path on its way to a file system: the first line; and conditions against a file's tag: the rest.
func fuzzFolder(_ bytes: [UInt8]) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
    if let target = RequestTarget(String(decoding: lines[0], as: UTF8.self)), let path = FolderPath(target.path) {
        let names = path.relative.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        require(path.relative.isEmpty || names.allSatisfy { !$0.isEmpty }, "every name is one")
        require(!names.contains { $0.elementsEqual("..".utf8) || $0.elementsEqual(".".utf8) }, "no name leads elsewhere")
        require(
            path.relative.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") }, "no name is cut short or read twice")
        _ = MediaType(ofFile: path.relative)
    }
    guard lines.count == 2 else { return }
    let field = String(decoding: lines[1], as: UTF8.self)
    let file = Validators(entityTag: "\"a\"", lastModified: Timestamp(seconds: 1_795_132_800))
    for name in ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "accept-encoding"] {
        let headers = HTTPHeaders([(name, field)])
        let verdict = Preconditions.evaluate(headers, against: file)
        let isUnmodified = name.hasSuffix("none-match") || name.hasSuffix("modified-since") && !name.contains("un")
        require(verdict != .notModified || isUnmodified, "only two fields lead to 304")
        _ = Preconditions.allowsRange(headers, of: file, at: Timestamp(seconds: 1_795_132_900))
        let accepted = AcceptedCodings(headers)
        require((0...1).contains(accepted.weight(of: "br")) && (0...1).contains(accepted.identityWeight), "a weight is one")
    }
}
