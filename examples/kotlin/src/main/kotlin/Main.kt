@file:JvmName("Main")

import aws.sdk.kotlin.runtime.AwsServiceException
import aws.sdk.kotlin.services.s3.S3Client
import aws.sdk.kotlin.services.s3.abortMultipartUpload
import aws.sdk.kotlin.services.s3.completeMultipartUpload
import aws.sdk.kotlin.services.s3.createMultipartUpload
import aws.sdk.kotlin.services.s3.model.CompletedPart
import aws.sdk.kotlin.services.s3.model.GetObjectRequest
import aws.sdk.kotlin.services.s3.putObject
import aws.sdk.kotlin.services.s3.uploadPart
import aws.smithy.kotlin.runtime.ClientException
import aws.smithy.kotlin.runtime.client.config.RequestHttpChecksumConfig
import aws.smithy.kotlin.runtime.content.ByteStream
import aws.smithy.kotlin.runtime.content.toByteArray
import aws.smithy.kotlin.runtime.net.url.Url
import java.io.File
import kotlin.random.Random
import kotlin.system.exitProcess
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext

private const val PART = 5 shl 20

fun main(): Unit = runBlocking {
    try {
        connect().use { run(it) }
    } catch (error: ClientException) {
        fail(error)
    } catch (error: AwsServiceException) {
        fail(error)
    } catch (error: IllegalArgumentException) {
        fail(error)
    }
    exitProcess(0) // at once, not after OkHttp's idle threads
}

private fun fail(error: Exception): Nothing {
    System.err.println(generateSequence<Throwable>(error) { it.cause }.mapNotNull { it.message }.last())
    exitProcess(1)
}

private fun connect(): S3Client {
    val tokenFile = File(env("OSS_VEND_TOKEN_FILE"))
    return S3Client {
        region = env("AWS_REGION")
        endpointUrl = Url.parse(env("AWS_ENDPOINT_URL_S3"))
        forcePathStyle = true
        enableAwsChunked = false
        requestChecksumCalculation = RequestHttpChecksumConfig.WHEN_REQUIRED
        credentialsProvider =
            ossVendCredentials(env("OSS_VEND_URL"), env("OSS_VEND_POLICY")) { tokenFile.readText().trim() }
    }
}

private suspend fun run(s3: S3Client) {
    val bucket = env("OSS_BUCKET")
    val folder = env("OSS_FOLDER")
    val foreign = env("OSS_FOREIGN_FOLDER")

    s3.put(bucket, "${folder}hello.txt", "hello")

    val film = Random.nextBytes(12 shl 20)
    s3.putInParts(bucket, "${folder}film.bin", film)

    val request = GetObjectRequest { this.bucket = bucket; key = "${folder}film.bin" }
    val downloaded = s3.getObject(request) { it.body?.toByteArray() }
    check(downloaded.contentEquals(film)) { "${folder}film.bin has changed on its way" }
    println("downloaded ${folder}film.bin")

    val refusal = runCatching { s3.put(bucket, "${foreign}hello.txt", "hello") }.exceptionOrNull()
    check(refusal is AwsServiceException) { "${foreign}hello.txt should have been refused" }
    println("refused ${foreign}hello.txt: ${refusal.sdkErrorMetadata.errorCode}, ${refusal.message}")

    println("press Enter to upload again, an hour later if you like")
    readlnOrNull()
    s3.put(bucket, "${folder}again.txt", "hello again")
}

private suspend fun S3Client.put(bucket: String, key: String, text: String) {
    putObject { this.bucket = bucket; this.key = key; body = ByteStream.fromString(text) }
    println("uploaded $key")
}

private suspend fun S3Client.putInParts(bucket: String, key: String, bytes: ByteArray) {
    val upload = createMultipartUpload { this.bucket = bucket; this.key = key }.uploadId
    try {
        val parts =
            bytes.indices.step(PART).mapIndexed { index, start ->
                val part = uploadPart {
                    this.bucket = bucket
                    this.key = key
                    uploadId = upload
                    partNumber = index + 1
                    body = ByteStream.fromBytes(bytes.copyOfRange(start, minOf(start + PART, bytes.size)))
                }
                CompletedPart { partNumber = index + 1; eTag = part.eTag }
            }
        completeMultipartUpload {
            this.bucket = bucket
            this.key = key
            uploadId = upload
            multipartUpload { this.parts = parts }
        }
    } catch (error: Throwable) {
        // Or the parts stay there, unseen, and cost money.
        withContext(NonCancellable) { abortMultipartUpload { this.bucket = bucket; this.key = key; uploadId = upload } }
        throw error
    }
    println("uploaded $key in parts")
}

private fun env(name: String): String = requireNotNull(System.getenv(name)) { "$name is not set" }
