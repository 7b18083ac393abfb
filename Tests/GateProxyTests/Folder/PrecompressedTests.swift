import GateHTTP
import GateTesting
import Glibc
import NIOHTTP1
import Testing

@testable import GateProxy

@Suite("Files compressed ahead")
struct PrecompressedTests {
    private func site(_ change: (inout FolderRules) -> Void = { _ in }) -> FolderSite {
        let site = FolderSite(change)
        for (name, content) in [
            ("app.js", "script"), ("app.js.br", "brotli"), ("app.js.gz", "gzip"), ("only.css", "style"), ("only.css.gz", "gzip"),
            ("photo.jpg", "photo"), ("photo.jpg.gz", "gzip"), ("orphan.js.br", "brotli"), ("index.html.br", "brotli"),
        ] { site.folder.write("root/" + name, content) }
        return site
    }

    @Test(
        "The form that the client likes best stands in for the file",
        arguments: [
            ("br, gzip", "br"), ("gzip, br", "br"), ("gzip;q=1, br;q=0.5", "gzip"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"),
            ("*", "br"), ("identity, br;q=0.9", nil), ("deflate", nil), ("", nil), ("br;q=0, gzip;q=0", nil), ("*;q=0", nil),
            ("identity;q=0.5, gzip;q=0.5", "gzip"), ("zstd, x-gzip", "gzip"),
        ] as [(String, String?)])
    func negotiation(_ field: String, _ coding: String?) async throws {
        let answer = try await site().get("/app.js", ["accept-encoding": field])
        #expect(answer.status == 200 && answer["content-encoding"] == coding)
        #expect(answer["vary"] == "Accept-Encoding" && answer["content-type"] == "text/javascript; charset=utf-8")
        #expect(answer.text == ["br": "brotli", "gzip": "gzip"][coding] ?? "script")
    }

    @Test("Each form has a tag of its own, and ranges of its own")
    func tags() async throws {
        let site = site()
        let plain = try await site.get("/app.js")
        let brotli = try await site.get("/app.js", ["accept-encoding": "br"])
        #expect(plain["etag"] != brotli["etag"])
        let headers: HTTPHeaders = ["accept-encoding": "br", "range": "bytes=0-1", "if-range": brotli["etag"]!]
        let part = try await site.get("/app.js", headers)
        #expect(part.status == 206 && part.text == "br" && part["content-encoding"] == "br" && part["content-range"] == "bytes 0-1/6")
        #expect(try await site.get("/app.js", ["accept-encoding": "br", "if-none-match": plain["etag"]!]).status == 200)
    }

    @Test("What is missing is not made up, what is compressed by its format stays as it is, and nothing stands in for no file")
    func missing() async throws {
        let site = site()
        #expect(try await site.get("/only.css", ["accept-encoding": "br, gzip"])["content-encoding"] == "gzip")
        let photo = try await site.get("/photo.jpg", ["accept-encoding": "gzip"])
        #expect(photo.text == "photo" && photo["content-encoding"] == nil && photo["vary"] == nil)
        #expect(try await site.get("/orphan.js", ["accept-encoding": "br"]).status == 404)
        #expect(try await site.get("/", ["accept-encoding": "br"]).text == "brotli")
    }

    @Test("Switched off, the file is the file")
    func off() async throws {
        let answer = try await site { $0.precompressed = false }.get("/app.js", ["accept-encoding": "br"])
        #expect(answer.text == "script" && answer["content-encoding"] == nil && answer["vary"] == nil)
    }

    @Test("A form that leads out of the folder, or is none, is passed over")
    func escape() async throws {
        let site = FolderSite()
        site.link("a.txt.br", to: "../secret.txt")
        mkdir(site.folder.file("root/a.txt.gz"), 0o700)
        #expect(try await site.get("/a.txt", ["accept-encoding": "br, gzip"]).text == "0123456789")
    }
}
