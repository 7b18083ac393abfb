import GateCore
import GateHTTP
import GateTesting
import Glibc
import NIOHTTP1
import Testing

@testable import GateProxy

@Suite("Conditions and ranges on files")
struct FileConditionTests {
    @Test("Who has the file already is told so, with the fields that keep it fresh")
    func notModified() async throws {
        let site = FolderSite { $0.cacheControl = "no-cache" }
        let first = try await site.get("/a.txt")
        let tag = try #require(first["etag"])
        let date = try #require(first["last-modified"])
        for headers in [["if-none-match": tag], ["if-none-match": "W/" + tag], ["if-modified-since": date]] as [HTTPHeaders] {
            let answer = try await site.get("/a.txt", headers)
            #expect(answer.status == 304 && answer.text.isEmpty && answer["content-type"] == nil)
            #expect(answer["etag"] == tag && answer["cache-control"] == "no-cache" && answer["vary"] == "Accept-Encoding")
        }
        #expect(try await site.get("/a.txt", ["if-none-match": "\"other\""]).status == 200)
        #expect(try await site.get("/a.txt", ["if-match": "\"other\""]).status == 412)
        #expect(try await site.get("/a.txt", ["if-match": tag]).status == 200)
    }

    @Test("A file that is written again has another tag, though its size and its date are the same")
    func tagChanges() async throws {
        let site = FolderSite()
        let before = try await site.get("/a.txt")
        var status = stat()
        stat(site.folder.file("root/a.txt"), &status)
        site.folder.write("root/b.txt", "abcdefghij")
        var times = [status.st_atim, status.st_mtim]
        utimensat(AT_FDCWD, site.folder.file("root/b.txt"), &times, 0)
        rename(site.folder.file("root/b.txt"), site.folder.file("root/a.txt"))
        let after = try await site.get("/a.txt", ["if-none-match": before["etag"]!])
        #expect(after.status == 200 && after.text == "abcdefghij" && after["last-modified"] == before["last-modified"])
    }

    @Test("The tag of a file that was just written is weak: the next change may bear the same time")
    func young() async throws {
        let site = FolderSite(age: .zero)
        #expect(try await site.get("/a.txt")["etag"]?.hasPrefix("W/") == true)
        site.time.advance(by: .seconds(30))
        #expect(try await site.get("/a.txt")["etag"]?.hasPrefix("W/") == false)
    }

    @Test("A date to come is none: Last-Modified is never later than now")
    func future() async throws {
        let site = FolderSite()
        var times = [timespec(tv_sec: 4_000_000_000, tv_nsec: 0), timespec(tv_sec: 4_000_000_000, tv_nsec: 0)]
        utimensat(AT_FDCWD, site.folder.file("root/a.txt"), &times, 0)
        #expect(try await site.get("/a.txt")["last-modified"] == site.time.now().httpDate)
    }

    @Test(
        "Ranges",
        arguments: [
            ("bytes=0-3", 206, "0123", "bytes 0-3/10"), ("bytes=8-", 206, "89", "bytes 8-9/10"), ("bytes=-2", 206, "89", "bytes 8-9/10"),
            ("bytes=0-", 206, "0123456789", "bytes 0-9/10"), ("bytes=5-100", 206, "56789", "bytes 5-9/10"),
            ("bytes=10-", 416, nil, "bytes */10"), ("bytes=-0", 416, nil, "bytes */10"), ("bytes=20-30,40-50", 416, nil, "bytes */10"),
            ("bytes=x", 200, "0123456789", nil), ("lines=0-3", 200, "0123456789", nil), ("bytes=0-9,0-9", 200, "0123456789", nil),
            ("bytes=20-30,1-2", 206, "12", "bytes 1-2/10"),
        ] as [(String, UInt, String?, String?)])
    func ranges(_ field: String, _ status: UInt, _ text: String?, _ contentRange: String?) async throws {
        let answer = try await FolderSite().get("/a.txt", ["range": field])
        #expect(answer.status == status && answer["content-range"] == contentRange)
        if let text { #expect(answer.text == text) } else { #expect(answer.text.contains(#""code":"request/range-not-satisfiable""#)) }
    }

    @Test("Several ranges come as parts of one body, in the order asked for")
    func multipart() async throws {
        let answer = try await FolderSite().get("/a.txt", ["range": "bytes=7-8, 0-1,-1"])
        #expect(answer.status == 206 && answer["content-range"] == nil)
        let type = try #require(answer["content-type"])
        let boundary = try #require(type.split(separator: "boundary=").last)
        #expect(type.hasPrefix("multipart/byteranges; "))
        let parts = [("7-8", "78"), ("0-1", "01"), ("9-9", "9")].map { range, text in
            "\r\n--\(boundary)\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes \(range)/10\r\n\r\n\(text)"
        }
        #expect(answer.text == parts.joined() + "\r\n--\(boundary)--\r\n")
    }

    @Test("A part is given only to who has other parts of the same file")
    func ifRange() async throws {
        let site = FolderSite()
        let first = try await site.get("/a.txt")
        let range = ("range", "bytes=0-3")
        #expect(try await site.get("/a.txt", HTTPHeaders([range, ("if-range", first["etag"]!)])).status == 206)
        #expect(try await site.get("/a.txt", HTTPHeaders([range, ("if-range", first["last-modified"]!)])).status == 206)
        #expect(try await site.get("/a.txt", HTTPHeaders([range, ("if-range", "\"other\"")])).status == 200)
        #expect(try await site.get("/a.txt", HTTPHeaders([range, ("if-range", "Fri, 20 Nov 2020 00:00:00 GMT")])).status == 200)
        // A condition that says "you have it" comes before the range.
        #expect(try await site.get("/a.txt", HTTPHeaders([range, ("if-none-match", first["etag"]!)])).status == 304)
    }

    @Test("An empty file has no ranges")
    func empty() async throws {
        let site = FolderSite()
        site.folder.write("root/empty.bin", "")
        #expect(try await site.get("/empty.bin").text.isEmpty)
        #expect(try await site.get("/empty.bin", ["range": "bytes=0-"]).status == 416)
    }
}
