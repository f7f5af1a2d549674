// Uploads to JD Cloud OSS with credentials from oss-vend, which the SDK fetches and refreshes by itself: it reads
// AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	bucket, folder, foreign := os.Getenv("OSS_BUCKET"), os.Getenv("OSS_FOLDER"), os.Getenv("OSS_FOREIGN_FOLDER")
	// Region, endpoint and credentials come from the environment.
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRequestChecksumCalculation(aws.RequestChecksumCalculationWhenRequired))
	if err != nil {
		return err
	}
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	uploader := manager.NewUploader(client, func(u *manager.Uploader) {
		u.PartSize = 5 << 20
		// The uploader does not take this from its client.
		u.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	})

	put := func(key, text string) error {
		_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(text)})
		if err != nil {
			return fmt.Errorf("cannot upload %s: %w", key, err)
		}
		fmt.Println("uploaded", key)
		return nil
	}

	if err := put(folder+"hello.txt", "hello"); err != nil {
		return err
	}

	film := make([]byte, 12<<20)
	_, _ = rand.Read(film) // never fails
	key := folder + "film.bin"
	if _, err := uploader.Upload(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(film)}); err != nil {
		return fmt.Errorf("cannot upload %s: %w", key, err)
	}
	fmt.Println("uploaded", key, "in parts")

	object, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return fmt.Errorf("cannot download %s: %w", key, err)
	}
	defer object.Body.Close()
	downloaded, err := io.ReadAll(object.Body)
	if err != nil {
		return fmt.Errorf("cannot download %s: %w", key, err)
	}
	if !bytes.Equal(downloaded, film) {
		return fmt.Errorf("%s has changed on its way", key)
	}
	fmt.Println("downloaded", key)

	var refusal smithy.APIError
	if err := put(foreign+"hello.txt", "hello"); !errors.As(err, &refusal) {
		return fmt.Errorf("a foreign folder must be refused, but: %v", err)
	}
	fmt.Println("refused", foreign+"hello.txt:", refusal.ErrorCode(), refusal.ErrorMessage())

	fmt.Println("press Enter to upload again, an hour later if you like")
	_, _ = fmt.Scanln()
	return put(folder+"again.txt", "hello again")
}
