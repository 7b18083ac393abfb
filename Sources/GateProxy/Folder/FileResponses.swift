import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1

/// Makes responses of files.
struct FileResponses: Sendable {
    private let rules: FolderRules
    private let time: any TimeSource
    private let entropy: any Entropy

    init(_ rules: FolderRules, time: any TimeSource, entropy: any Entropy) {
        self.rules = rules
        self.time = time
        self.entropy = entropy
    }

    /// - Parameter isPersonal: whether it is given to somebody who is signed in.
    func response(to request: Request, with found: FoundFile, isPersonal: Bool) throws(Problem) -> Response {
        let now = time.now()
        let validators = found.validators(at: now)
        var headers = fields(of: found, validators, isPersonal: isPersonal)
        switch Preconditions.evaluate(request.headers, against: validators) {
        case .failed: throw Problem(.preconditionFailed)
        case .notModified: return Response(.notModified, headers: headers)
        case .proceed: break
        }
        headers.add(name: "content-type", value: found.type.name)
        headers.add(name: "accept-ranges", value: "bytes")
        if let coding = found.coding { headers.add(name: "content-encoding", value: coding.rawValue) }
        let size = found.status.size
        guard request.method == .GET, let field = request.headers.first(name: "range"), let asked = ByteRanges(field),
            Preconditions.allowsRange(request.headers, of: validators, at: now)
        else { return Response(.ok, headers: headers, body: .file(FileBody(found.file, 0..<size))) }
        let ranges = asked.resolved(in: size)
        // Ranges that overlap are no way to be sent more than there is.
        guard ranges.reduce(0, { $0 + $1.count }) <= size else {
            return Response(.ok, headers: headers, body: .file(FileBody(found.file, 0..<size)))
        }
        switch ranges.count {
        case 0: throw Problem(.rangeNotSatisfiable, headers: ["content-range": "bytes */\(size)"])
        case 1:
            headers.add(name: "content-range", value: ranges[0].contentRange(of: size))
            return Response(.partialContent, headers: headers, body: .file(FileBody(found.file, ranges[0])))
        default:
            let parts = MultipartRanges(ranges, of: found, boundary: entropy.boundary())
            headers.replaceOrAdd(name: "content-type", value: parts.contentType)
            return Response(.partialContent, headers: headers, body: .stream(length: parts.length) { try await parts.write(to: $0) })
        }
    }

    /// Those that go with a 304 too (RFC 9110 §15.4.5).
    ///
    /// Without a word from the operator, what only those may see who are signed in is kept by no cache but theirs, which asks each time whether
    /// they still are.
    private func fields(of found: FoundFile, _ validators: Validators, isPersonal: Bool) -> HTTPHeaders {
        var headers: HTTPHeaders = ["etag": validators.entityTag]
        if let modified = validators.lastModified { headers.add(name: "last-modified", value: modified.httpDate) }
        if let cacheControl = rules.cacheControl ?? (isPersonal ? "private, no-cache" : nil) {
            headers.add(name: "cache-control", value: cacheControl)
        }
        if rules.precompressed, !found.type.isCompressed { headers.add(name: "vary", value: "Accept-Encoding") }
        return headers
    }
}

extension Range<Int> {
    /// The value of `Content-Range` (RFC 9110 §14.4).
    func contentRange(of size: Int) -> String { "bytes \(lowerBound)-\(upperBound - 1)/\(size)" }
}

extension Entropy {
    /// 32 characters that no content has by chance.
    fileprivate func boundary() -> String { Hex.encode(bytes(16)) }
}
